def contexts(lock, path):
    with lock:
        x = 1
    with open(path) as f, lock as (a, b):
        x = f.read()
    with (
        open(path) as g,
        torch.no_grad(),
    ):
        return g


async def entered(session):
    async with session.get() as answer, session:
        return await answer.text()
