def literals():
    numbers = 1, 1_000, 0xFF, 0b11, 0o17, 1.5, 1e-3, 2j, -3, - 4.5, +1, ~2, --5
    words = "a", 'b\n', r"\d", b"c\x00", "one" "two", "one" f"{numbers}", u"v"
    long = """first
second"""
    nothing = None, True, False, ..., ()
    shown = [1, *numbers], {1, *words}, {"k": 1, **long, 2: []}
    return {}
