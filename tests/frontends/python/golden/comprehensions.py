def lists(xs, x):
    a = [f(x) for x in xs]
    b = [x + y for x in a if x if x > 1 for y in x.rows]
    c = {x for x in xs}
    d = {k: v for k, v in xs.items() if v}
    e = [[y for y in x] for x in xs]
    g = [lambda: x for x in xs]
    return x


def generators(xs):
    total = sum(x * x for x in xs)
    kept = (x for x in xs)
    return any((x for x in xs), 1)


async def asynchronous(xs):
    return [x async for x in xs if await x]


TABLE = [i for i in range(3)]


def unpacked(xs):
    a, b = (f(x) for x in xs)
    for y in (x for x in xs):
        return y
