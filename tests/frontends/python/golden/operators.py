def operators(a, b):
    return a + b * 2 - a @ b / a // b % 3 ** 2 << 1 >> a & b | a ^ b


def spread(a):
    return (
        a
        + 1
        + g(
            2,
        )
    )
