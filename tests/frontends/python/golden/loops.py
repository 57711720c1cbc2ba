def counted(xs, n):
    for i in range(n):
        if i == 3:
            continue
        if xs[i]:
            break
    else:
        xs = None
    for i, (a, *b) in enumerate(xs): print(i)
    for xs[0] in xs:
        pass


def while_loop(n):
    while n > 0 and f(n):
        n -= 1
        if n == 5:
            break
    else:
        n = 0
    while True:
        pass


async def async_loop(stream):
    async for item in stream:
        print(item)
    else:
        return 1
