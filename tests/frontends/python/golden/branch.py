def branch(x, y):
    if x > 0:
        a = 1
    elif y:
        a = 2
    else:
        a = 3
    if a: return a
    if x:
        pass
    else:
        y = 1
