"""Bytes by key, in one SQLite file under the user's cache directory.

Claim: `get` gives what some `put` of this key got, or None; whatever is wrong with the file or its folder, nobody
hears of it. Why: every value carries a hash of key and value, so a torn or foreign one is a miss; a file that SQLite
refuses is thrown away and made anew, any other complaint ends the use of the cache for this run. Values are collected
and written in one transaction by `flush`. Why SQLite: a run asks for some hundred values of a few kilobytes; as files
they took six times as long to write (5,000 of them), as long to read, and bounding their size means to list them all.
In WAL mode readers never wait, and writers wait for each other. `synchronous` is off: after a power cut the hashes tell
what is left.

What it gives up: two processes that write one key at once keep the later value. Past `LIMIT` the values unused for
longest go, a quarter at a time. When a value was used is known to the week.
"""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

LIMIT = 200_000_000
FILE = "kept-1.sqlite"
_WAIT = 5.0  # seconds for another process's transaction
_DIGEST = 12
_WEEK = 7 * 24 * 3600
_PARENTS: list[sqlite3.Connection] = []


def folder() -> Path | None:
    """Where the cache lives; None if the system says nothing that could be a folder."""
    named = os.environ.get("ALLOCSAFE_CACHE_DIR")
    if named:
        return Path(named).absolute()
    try:
        from platformdirs import user_cache_dir

        return Path(user_cache_dir("allocsafe", appauthor=False)).absolute()
    except (ImportError, OSError, RuntimeError):  # no home
        return None


class Store:
    """One process's view of the file. After a fork the child opens it again."""

    def __init__(self, place: Path, limit: int = LIMIT) -> None:
        self.path = place / FILE
        self._limit = limit
        self._fresh: dict[bytes, bytes] = {}
        self._used: set[bytes] = set()
        self._database: sqlite3.Connection | None = None
        self._owner = 0
        self._off = False
        self._week = int(time.time() // _WEEK)

    def get(self, key: bytes) -> bytes | None:
        """The value of a key, or None."""
        if key in self._fresh:
            return self._fresh[key]
        database = self._open(make=False)
        if database is None:
            return None
        import sqlite3

        try:
            row = database.execute("SELECT week, value FROM kept WHERE key = ?", (key,)).fetchone()
        except sqlite3.Error as error:
            self._give_up(error)
            return None
        value = None if row is None else _opened(key, row[1])
        if value is not None and row[0] != self._week:
            self._used.add(key)
        return value

    def put(self, key: bytes, value: bytes) -> None:
        """Keeps a value, from the next `flush` on for other processes too."""
        self._fresh[key] = value

    def flush(self) -> None:
        """Writes what was put."""
        fresh, used = self._fresh, self._used
        if not fresh and not used:
            return
        self._fresh, self._used = {}, set()
        rows = [(key, self._week, _closed(key, value)) for key, value in fresh.items()]
        if not self._written(rows, used) and not self._off:
            self._written(rows, used)  # the file was refused and is gone: once more, into a new one

    def close(self) -> None:
        """Writes what was put, and lets go of the file."""
        self.flush()
        database, self._database = self._database, None
        if database is not None and self._owner == os.getpid():
            database.close()

    # ------------------------------------------------------------ the file

    def _written(self, rows: Iterable[tuple[bytes, int, bytes]], used: Iterable[bytes]) -> bool:
        database = self._open(make=True)
        if database is None:
            return False
        import sqlite3

        try:
            database.execute("BEGIN IMMEDIATE")
            database.executemany("UPDATE kept SET week = ? WHERE key = ?", [(self._week, key) for key in used])
            database.executemany("INSERT OR REPLACE INTO kept (key, week, value) VALUES (?, ?, ?)", rows)
            self._evict(database)
            database.execute("COMMIT")
        except sqlite3.Error as error:
            self._give_up(error)
            return False
        return True

    def _evict(self, database: sqlite3.Connection) -> None:
        """Throws away the values unused for longest if the file holds too much."""
        (pages,) = database.execute("PRAGMA page_count").fetchone()
        (free,) = database.execute("PRAGMA freelist_count").fetchone()
        (size,) = database.execute("PRAGMA page_size").fetchone()
        over = (pages - free) * size - self._limit
        if over <= 0:
            return
        over += self._limit // 4
        old: list[tuple[int]] = []
        for row, length in database.execute("SELECT rowid, length(value) FROM kept ORDER BY week, rowid"):
            old.append((row,))
            over -= length + 100
            if over <= 0:
                break
        database.executemany("DELETE FROM kept WHERE rowid = ?", old)

    def _open(self, *, make: bool) -> sqlite3.Connection | None:
        if self._off:
            return None
        if self._database is not None and self._owner == os.getpid():
            return self._database
        if self._database is not None:
            _PARENTS.append(self._database)  # SQLite must not even close, in a child, what its parent has opened
            self._database = None
        if not make and not self.path.exists():
            return None
        try:
            import sqlite3
        except ImportError:  # a Python built without it
            self._off = True
            return None
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._database, self._owner = _connected(self.path), os.getpid()
        except (sqlite3.Error, OSError) as error:
            self._give_up(error)
            if not make or self._off:
                return None
            return self._open(make=True)  # what was there is gone
        return self._database

    def _give_up(self, error: Exception) -> None:
        """A file that is no cache goes, and its successor is used; anything else ends the use of the cache."""
        import sqlite3
        from contextlib import suppress

        database, self._database = self._database, None
        if database is not None and self._owner == os.getpid():
            with suppress(sqlite3.Error):
                database.close()
        self._off = True
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(
            error, (sqlite3.OperationalError, sqlite3.ProgrammingError)
        ):
            with suppress(OSError):
                self.path.unlink()
                self._off = False
            for suffix in ("-wal", "-shm"):
                with suppress(OSError):
                    os.unlink(f"{self.path}{suffix}")


def _connected(path: Path) -> sqlite3.Connection:
    """The file, made if need be. Two that make it at once do not wait for each other by themselves."""
    import sqlite3

    patience = time.monotonic() + _WAIT
    while True:
        database = sqlite3.connect(path, timeout=_WAIT, isolation_level=None, check_same_thread=False)
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = OFF")
            database.execute("CREATE TABLE IF NOT EXISTS kept (key BLOB PRIMARY KEY, week INTEGER, value BLOB)")
            return database
        except sqlite3.OperationalError as error:
            database.close()
            if "locked" not in str(error) or time.monotonic() > patience:
                raise
            time.sleep(0.02)
        except sqlite3.Error:
            database.close()
            raise


def _closed(key: bytes, value: bytes) -> bytes:
    """A value as it stands in the file: packed tight, after a hash of it and its key."""
    data = zlib.compress(value, 1)
    return blake2b(data, key=key[:64], digest_size=_DIGEST).digest() + data


def _opened(key: bytes, row: object) -> bytes | None:
    """The value, or None if it is not what was put under this key."""
    if not isinstance(row, bytes):
        return None
    data = row[_DIGEST:]
    if blake2b(data, key=key[:64], digest_size=_DIGEST).digest() != row[:_DIGEST]:
        return None
    try:
        return zlib.decompress(data)
    except zlib.error:
        return None


__all__ = ["FILE", "LIMIT", "Store", "folder"]
