"""Bytes by key: whatever is wrong with the file, a value is what was put, or nothing."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import sys
from pathlib import Path

import pytest
from allocsafe.cache import opened
from allocsafe.cache.store import FILE, Store, folder

KEY = b"k" * 20


def kept(place: Path, **values: bytes) -> Path:
    store = Store(place)
    for key, value in values.items():
        store.put(key.encode() * 5, value)
    store.close()
    return place / FILE


def test_a_value_is_there_at_once_and_in_the_next_run(tmp_path: Path) -> None:
    store = Store(tmp_path / "deep" / "er")
    store.put(KEY, b"value")
    assert store.get(KEY) == b"value"
    assert not (tmp_path / "deep").exists()
    store.close()
    assert Store(tmp_path / "deep" / "er").get(KEY) == b"value"
    assert Store(tmp_path / "deep" / "er").get(b"other") is None


def test_asking_makes_no_file(tmp_path: Path) -> None:
    store = Store(tmp_path / "none")
    assert store.get(KEY) is None
    store.close()
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("damage", ["cut", "text", "empty", "middle", "folder"])
def test_a_damaged_file_is_ignored_and_written_anew(tmp_path: Path, damage: str) -> None:
    values = {f"k{n}": os.urandom(3000) for n in range(40)}
    path = kept(tmp_path, **values)
    data = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    else:
        changed = {"cut": data[: len(data) // 2], "text": b"hello\n" * 999, "empty": b"", "middle": b""}[damage]
        if damage == "middle":
            changed = data[:5000] + bytes(len(data) - 9000) + data[-4000:]
        path.write_bytes(changed)
    store = Store(tmp_path)
    for key, value in values.items():
        assert store.get(key.encode() * 5) in ((None, value) if damage in ("cut", "middle") else (None,))
    store.put(KEY, b"new")
    store.close()
    if damage != "folder":  # a file can be replaced, what else lies there is not ours
        again = Store(tmp_path)
        again.put(b"later", b"newer")
        again.close()
        assert Store(tmp_path).get(b"later") == b"newer"


def test_a_value_that_was_changed_in_the_file_is_no_value(tmp_path: Path) -> None:
    path = kept(tmp_path, one=b"x" * 500, two=b"y" * 500)
    database = sqlite3.connect(path)
    rows = dict(database.execute("SELECT key, value FROM kept"))
    first, second = rows
    database.execute("UPDATE kept SET value = ? WHERE key = ?", (rows[second], first))  # whole, but another's
    database.execute("UPDATE kept SET value = ? WHERE key = ?", (rows[second][:-1] + b"\0", second))
    database.commit()
    database.close()
    store = Store(tmp_path)
    assert store.get(first) is None and store.get(second) is None


def test_a_database_of_somebody_else_is_left_in_peace(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / FILE)
    database.execute("CREATE TABLE kept (other TEXT)")
    database.commit()
    database.close()
    store = Store(tmp_path)
    assert store.get(KEY) is None
    store.put(KEY, b"value")
    store.close()
    assert Store(tmp_path).get(KEY) is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_silence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        silent(Store(tmp_path / "cache"))
    finally:
        tmp_path.chmod(0o700)


def test_a_path_that_is_no_folder_is_silence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    silent(Store(tmp_path / "file"))
    silent(Store(tmp_path / "file" / "below"))


def silent(store: Store) -> None:
    assert store.get(KEY) is None
    store.put(KEY, b"value")
    store.flush()
    assert store.get(KEY) is None
    store.close()


def test_a_python_without_sqlite_is_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlite3", None)
    silent(Store(tmp_path))


def test_the_file_stays_within_its_limit_and_the_unused_go_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("allocsafe.cache.store.time.time", lambda: now[0])
    limit = 400_000
    for week in range(12):
        now[0] = week * 8 * 24 * 3600.0
        store = Store(tmp_path, limit)
        assert week == 0 or store.get(b"first") == b"f" * 10  # used every week
        store.put(b"first", b"f" * 10)
        for n in range(10):
            store.put(f"{week}-{n}".encode(), os.urandom(10_000))
        store.close()
        assert (tmp_path / FILE).stat().st_size < 2 * limit
    store = Store(tmp_path, limit)
    assert store.get(b"0-0") is None and store.get(b"11-9") is not None


def _write(place: str, who: int, barrier: object) -> None:
    barrier.wait()  # type: ignore[attr-defined]
    for turn in range(10):
        store = Store(Path(place))
        for n in range(20):
            store.put(f"{who}-{turn}-{n}".encode(), bytes([who]) * (100 * n + 1))
        assert store.get(f"{who}-{turn}-3".encode()) == bytes([who]) * 301
        store.close()


def test_several_processes_write_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(4)
    workers = [context.Process(target=_write, args=(str(tmp_path / "new"), who, barrier)) for who in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    store = Store(tmp_path / "new")
    for who in range(4):
        for turn in range(10):
            for n in range(20):
                assert store.get(f"{who}-{turn}-{n}".encode()) == bytes([who]) * (100 * n + 1)


def test_a_child_that_was_forked_has_the_file_to_itself(tmp_path: Path) -> None:
    kept(tmp_path, one=b"1")
    store = Store(tmp_path)
    assert store.get(b"one" * 5) == b"1"
    child = os.fork()
    if child == 0:
        try:
            store.put(b"child", b"c")
            store.close()
            os._exit(0 if store.get(b"one" * 5) == b"1" else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert store.get(b"child") == b"c" and store.get(b"one" * 5) == b"1"


def test_the_environment_names_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ALLOCSAFE_CACHE_DIR", str(tmp_path))
    assert folder() == tmp_path
    monkeypatch.delenv("ALLOCSAFE_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    found = folder()
    assert found is not None and found.name == "allocsafe"
    assert opened(False) is None and opened(True) is not None
