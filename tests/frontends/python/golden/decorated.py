@torch.no_grad()
def no_grad(x):
    return x


class Cache:
    @property
    def size(self):
        return self._size

    @size.setter
    def size(self, value):
        self._size = value

    @staticmethod
    def make(n: int = 3, /, *, device: str = "cpu") -> "Cache":
        return Cache(n)

    @classmethod
    @functools.lru_cache(maxsize=None)
    def cached(cls): return cls()
