def calls(f, x, args, kw):
    f()
    f(x, *args, k=x, **kw)
    f(x)(1).method(2)[3].attr
    print(x, *args, *[1, 2], sep="", **kw, **{})
    return torch.empty(n, dtype=torch.int32).cuda()
