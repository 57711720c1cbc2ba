"""Arguments in, exit status out: the only place that turns an exception into a line and a status.

Status 0: nothing at or above `--fail-on`. 1: findings. 2: bad usage, or input that could not be read; then there is one
line on standard error that begins with `allocsafe: `, and never a traceback (ALLOCSAFE_DEBUG=1 shows it).
`--version` is answered before click is loaded: a hook manager asks for it more often than for anything else.
"""

from __future__ import annotations

import os
import sys

CLEAN = 0
PATIENT = (50_000, 20, 50)
"""Objects between two collections. An analysis makes many that live to its end; looking through them every 700, as
Python does, takes a twelfth of the time and finds next to nothing.
"""


def main(argv: list[str] | None = None) -> int:
    """The command `allocsafe`. Returns the exit status."""
    args = sys.argv[1:] if argv is None else argv
    if args == ["--version"]:
        from allocsafe import __version__

        sys.stdout.write(f"allocsafe {__version__}\n")
        return CLEAN
    from allocsafe.console import hush, say

    try:
        return _run(args)
    except KeyboardInterrupt:
        return say("interrupted", 130)
    except BrokenPipeError:
        hush()
        return CLEAN
    except RecursionError as error:
        if _debug():
            raise
        return say(f"the input is nested too deeply ({type(error).__name__})")
    except MemoryError:
        return say("out of memory")
    except Exception as error:
        if _debug():
            raise
        return say(_message(error))


def _run(args: list[str]) -> int:
    import gc

    gc.set_threshold(*PATIENT)  # before the imports, which make thousands of objects that stay

    import click

    from allocsafe.commands import group
    from allocsafe.console import say

    try:
        # not `group.main`: it answers a closed pipe and an interrupt in its own way
        with group.make_context("allocsafe", list(args)) as context:
            status = group.invoke(context)
    except click.exceptions.Abort:
        return say("interrupted", 130)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        return say(error.format_message())
    return status if isinstance(status, int) else CLEAN


def _message(error: Exception) -> str:
    """What a person needs: the message alone where the project meant it for them, the exception's name where not."""
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}"
    # The classes are told by name and home: importing their modules to ask would load half of the house.
    kind = type(error)
    if kind.__module__.split(".")[0] == "allocsafe" and kind.__name__ in (
        "BadCode", "BadPack", "BadScenario", "ConfigError", "PatchError",
    ):  # fmt: skip
        return str(error)
    return f"internal error: {kind.__name__}: {error} (ALLOCSAFE_DEBUG=1 shows where)"


def _debug() -> bool:
    return bool(os.environ.get("ALLOCSAFE_DEBUG"))


if __name__ == "__main__":
    sys.exit(main())
