def make(n, scale=2):
    buffer = torch.empty(n)

    @functools.wraps(n)
    @plain
    def step(x, *rest, k=scale, **kw):
        "Docstring."
        buffer[:x] = k
        return buffer

    async def other():
        await step(1)

    return step, other


add = lambda a, /, b=1, *c, d, **e: a + b
pick = lambda: (yield)
