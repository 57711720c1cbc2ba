def delete(x, obj):
    del x
    del obj.f, obj[0], obj[1:2]
    del (obj.a, [obj.b])
