counter = 0


def count():
    global counter
    counter += 1
    return len(local_later)


def outer(x):
    y = x

    def inner():
        nonlocal y
        y = x
        z = counter
        return lambda: (y, z, q)

    class Local:
        x = y

        def method(self):
            return x, y

    return inner, Local


if counter:
    name = counter
del name
