"""When bytes count as a text to judge, and how foreign text is quoted in a message.

The limits are far above any source that people wrote and far below what would stop a parser: a generated single-file
C library has 9 MB, and its longest line is under 100 KB. Past them a file is named in `errors`, not judged in
silence.
"""

from __future__ import annotations

from allocsafe.source import Source, decode

MOST_BYTES = 16_000_000
LONGEST_LINE = 1_000_000


def refusal(data: bytes) -> str | None:
    """Why these bytes are no text to judge, or None."""
    if b"\0" in data:
        return "holds NUL bytes: not a text file"
    if len(data) > MOST_BYTES:
        return f"too large to judge (more than {MOST_BYTES / 1e6:.0f} MB)"
    if len(data) > LONGEST_LINE:
        longest = max(map(len, data.split(b"\n")))
        if longest > LONGEST_LINE:
            return f"a line too long to judge ({longest / 1e6:.0f} MB)"
    return None


def source(path: str, data: bytes) -> Source:
    """The decoded text of a file of the tree."""
    return Source(path, decode(data))


def blob_id(data: bytes) -> str:
    """The id that git gives these bytes."""
    from hashlib import sha1

    return sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def text_id(known: Source | None) -> str:
    """An id of a text that is held in memory: the blob's, where the file could have had no other bytes for it."""
    if known is None:
        return ""
    name = blob_id(known.text.encode("utf-8", "surrogatepass"))
    return f"text:{name}" if known.text.startswith("\ufeff") else name


def quoted(row: bytes | str, most: int = 60) -> str:
    """Foreign text for a message: on one line, short, printable."""
    text = row.decode("utf-8", "backslashreplace") if isinstance(row, bytes) else row
    text = text.strip()
    if len(text) > most:
        text = text[: most - 3] + "..."
    return repr(text)


def shown(path: str) -> str:
    """A path for a message: as it is, or escaped where it holds anything that would break the line."""
    return path if path.isprintable() else repr(path)
