def fstrings(x, width, obj):
    a = f"plain"
    b = f"{x} and {obj.name!r:>{width}.{x}} {{braces}}"
    c = f"{x=}" f'{obj["key"]}'
    d = rf"\d{x}"
    return f"""{
        x
    }"""
