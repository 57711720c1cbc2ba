class Base:
    pass


class Model(Base, nn.Module, Generic[T], make_base(1), metaclass=Meta):
    """Docstring."""

    width = 3
    height: int = width
    depth: "int"
    table = [width for _ in range(height)]

    if FLAG:
        mode = 1

        def conditional(self):
            return 1
    else:
        def conditional(self):
            return 2

    class Config:
        strict: bool = True

        def check(self, width=strict):
            return width

    def forward(self, x, w=width):
        return super().forward(x, width)


class OneLine: x = 1; y: int = 2


@dataclass(frozen=True)
class Point:
    x: int
    y: int = field(default=0)
    z: list[int] = field(
        default_factory=list,
    )


def local_class(base):
    @register("x")
    class Local(base):
        size: int = 3

        @cached(1)
        def get(self, n=size):
            return base

        class Inner:
            pass

    return Local
