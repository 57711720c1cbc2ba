def match_values(command):
    match command:
        case 1 | -2 | "x":
            return 1
        case Color.RED:
            return 2
        case None:
            return 3
        case other:
            return other


def match_shapes(point):
    match point:
        case [x, y] if x > y:
            return x
        case (a, [b, *rest], 3):
            return a, b, rest
        case {"kind": "circle", "r": r, **more}:
            return r, more
        case Point(x=0, y=height):
            return height
        case int(n) | float(n):
            return n
        case str(text):
            return text
        case Pair(first, Pair() as second):
            return first, second
        case [_, _] as both:
            return both
        case _:
            return None


def match_guards(x):
    match x:
        case n if n > 3:
            return 1
        case 7:
            return 2
    return 3
