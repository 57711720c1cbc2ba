type Pair[T] = tuple[T, T]


def first[T: int, *Ts, **P](x: T, y: "Pair[T]" = None) -> T:
    type Local = list[T]
    z: T = x
    return z


class Box[T](Base[T]):
    item: T
