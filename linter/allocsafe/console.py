"""What a command owes to the streams it was given: one line for an error, no noise when the reader has gone."""

from __future__ import annotations

import contextlib
import os
import sys


def say(message: str, status: int = 2) -> int:
    """One line on standard error, in ASCII whatever the message holds; returns `status`."""
    line = " ".join(message.split()) or "unknown error"
    with contextlib.suppress(OSError, ValueError):  # nobody listens: the status still tells
        sys.stderr.write(f"allocsafe: {line}\n".encode("ascii", "backslashreplace").decode("ascii"))
    return status


def hush() -> None:
    """The reader went away (`allocsafe check | head`): keep the interpreter's last flush from complaining."""
    with contextlib.suppress(OSError):  # a stream without a descriptor has nothing to flush at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def lenient() -> None:
    """A terminal that cannot show a character gets its escape, not an exception."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


__all__ = ["hush", "lenient", "say"]
