def subscripts(x, i, j, idx):
    a = x[i], x[-1], x[i, j], x[i,], x[(i, j)], x[()]
    b = x[1:], x[:n], x[::2], x[i:j:-1], x[:, None, ..., 1:2]
    c = x[*idx], x[i, *idx], x["key"], x[[0, 1]], x[x > 0]
    x[i:j] = x[f(i) : g(j) : 2]
    x[..., 0] = 1
    return x[i][j].y[0]
