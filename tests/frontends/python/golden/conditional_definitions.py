try:
    import fast
except ImportError:
    fast = None

    def helper(x):
        return x
else:
    def helper(x):
        return fast.run(x)

if fast:
    @overload
    def typed(x: int): ...
    @overload
    def typed(x: str): ...
    def typed(x):
        return x

    class Inside:
        def method(self): pass

    @decorate
    class Last: ...

LIMIT = 3
