def generate(xs):
    for x in xs:
        got = yield x
    yield
    yield from xs
    return got


async def wait(task):
    x = await task
    yield x
    return


def stacked():
    return (yield)
