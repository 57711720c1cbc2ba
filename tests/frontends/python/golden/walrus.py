def walrus(xs):
    if (n := len(xs)) > 10:
        return n
    while chunk := xs.pop():
        print(chunk)
    return [last := x for x in xs], last


total = [seen := y for y in range(3)]
