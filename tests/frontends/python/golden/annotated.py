count: int = 0
later: "Tensor"


def annotated(obj):
    x: int
    y: float = 1.5
    obj.z: list[int] = [x]
    obj["k"]: int = y
    return x
