def attempt(f):
    try:
        x = f()
    except ValueError:
        x = 1
    except (KeyError, torch.cuda.OutOfMemoryError) as error:
        x = error
        raise
    except make_types():
        x = 2
    except:
        raise RuntimeError("no") from None
    else:
        x = 3
    finally:
        f.close()
    return x


def only_finally(f):
    try:
        return f()
    finally:
        f.close()


def groups(f):
    try:
        f()
    except* ValueError as group:
        print(group)
    except* OSError:
        pass
    else:
        f.done()
    finally:
        f.close()


def asserting(x):
    assert x.ok, f"message {x}"
    raise ValueError
