def augmented(x, y, obj):
    x += y
    obj.total -= x
    obj.rows[y, 1:] *= 2
    obj[f(y)] //= x
    x **= 2
    x @= y
    x <<= 1
    x >>= 1
    x &= y
    x |= y
    x ^= y
    x %= y
    x /= y
