def conditions(a, b, c):
    x = a if b else c
    y = a and b and c
    z = a or b or not c
    w = a and (b or c)
    v = (a if b else c) if a else (b := c)
    return x, y, z, w, v


def chains(a, b):
    p = a < b
    q = 0 <= a < f(b) != 3
    r = a is not None and b not in a
    return a is b, a in b, a == b >= 3
