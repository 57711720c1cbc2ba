def plain(x):
    y = x
    a = b = y
    a.f = b[0] = c = x


def unpacking(pair, obj):
    a, b = pair
    (c, *d), [e, obj.f] = pair
    obj[0], *obj[1] = pair
    x, = pair
    return a, b
