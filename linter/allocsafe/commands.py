"""The commands as click sees them. Each collects its options, calls one function and returns an exit status.

Loaded by `cli` only when there is something to parse. What a command needs beyond that it imports itself: `allocsafe
rules` must not pay for the engine, nor a clean `check` for the packs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from allocsafe import __version__
from allocsafe.console import hush, lenient, say

if TYPE_CHECKING:
    from allocsafe.api import Rule
    from allocsafe.config import Config
    from allocsafe.pipeline import Request
    from allocsafe.report.records import Report
    from allocsafe.scan import Request as ScanRequest

Asked = TypeVar("Asked", "Request", "ScanRequest")
"""What a command that judges was asked for."""

UNREADABLE = 2
FORMATS = ("text", "json", "github", "sarif", "markdown")


class Suggesting(click.Group):
    """A group that names the nearest command for one that it does not have."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            import difflib

            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            if near:
                hint = f"; did you mean {near[0]!r}?"
            elif os.path.exists(args[0]) or args[0] == "-":
                hint = f"; to judge a patch: allocsafe check {args[0]}"
            else:
                hint = f"; there are {', '.join(self.list_commands(ctx))}"
            raise click.UsageError(f"no such command: {args[0]!r}{hint}") from None


@click.group(cls=Suggesting, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="allocsafe", message="%(prog)s %(version)s")
def group() -> None:
    """Judge patches: can anything read memory that nothing has written yet?"""


@group.command()
@click.argument("patch", required=False)
@click.option("--root", metavar="DIR", help="The repository or folder the patch belongs to; a bare one serves.")
@click.option(
    "--from", "from_rev", metavar="REV", help="Old side: a commit. With PATCH: what the patch goes on top of."
)
@click.option("--to", "to_rev", metavar="REV", help="New side: a commit. Nothing is checked out.")
@click.option("--staged", is_flag=True, help="Judge the index against HEAD.")
@click.option("--only", metavar="PATH", multiple=True, help="Report sites in these paths only (repeatable).")
@click.option("--format", "form", type=click.Choice(FORMATS), help="How to report (default: text).")
@click.option("--output", metavar="FILE", help="Write the report there instead of standard output.")
@click.option(
    "--fail-on", type=click.Choice(("unsafe", "unknown", "never")), help="What exits with 1 (default: unsafe)."
)
@click.option(
    "--select", metavar="CODES", multiple=True, help="Only these rules, as codes or prefixes, comma-separated."
)
@click.option("--ignore", metavar="CODES", multiple=True, help="Not these rules.")
@click.option("--all", "show_all", is_flag=True, help="Report what the old side already had as well.")
@click.option("--budget", type=float, metavar="SECONDS", help="Time for one site before it is unknown (default: 20).")
@click.option("--no-cache", is_flag=True, help="Neither read nor write a cache.")
def check(
    patch: str | None,
    *,
    root: str | None,
    from_rev: str | None,
    to_rev: str | None,
    staged: bool,
    only: tuple[str, ...],
    form: str | None,
    output: str | None,
    fail_on: str | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    show_all: bool,
    budget: float | None,
    no_cache: bool,
) -> int:
    """Judge PATCH (a file, or - for standard input).

    Without PATCH: the staged changes, else the working tree against HEAD. With PRE_COMMIT_FROM_REF and
    PRE_COMMIT_TO_REF set, as pre-commit does for a push, that range.
    """
    from allocsafe import config as configuration

    if staged and (patch is not None or from_rev is not None):
        raise click.UsageError("--staged names the change to judge; it does not go with PATCH or --from")
    if to_rev is not None and (from_rev is None or patch is not None):
        raise click.UsageError("--to goes with --from and without PATCH")
    if patch is None and from_rev is None:
        old, new = os.environ.get("PRE_COMMIT_FROM_REF"), os.environ.get("PRE_COMMIT_TO_REF")
        if old and new:
            from_rev, to_rev, staged = old, new, False
    if budget is not None and not budget > 0:
        raise click.UsageError(f"--budget: expected a number of seconds above 0, not {budget:g}")
    folder = None if root is None else _folder(root)

    settings = configuration.load(folder)
    from allocsafe.pipeline import Request
    from allocsafe.pipeline import check as judge

    request = Request(
        patch=None if patch is None else _bytes(patch),
        root=folder,
        from_rev=from_rev,
        to_rev=to_rev,
        staged=staged,
        only=only,
        select=_split(select) or settings.select,
        ignore=_split(ignore) or settings.ignore,
        show_all=show_all,
        budget=budget if budget is not None else settings.budget,
        config=settings,
        use_cache=not no_cache,
    )
    return _report(request, settings, judge, form=form, output=output, fail_on=fail_on)


def _report(
    request: Asked,
    settings: Config,
    judge: Callable[[Asked], Report],
    *,
    form: str | None,
    output: str | None,
    fail_on: str | None,
) -> int:
    if request.select or request.ignore:  # a misspelt code would switch a rule off: say so even if nothing is found
        from allocsafe.packs import chosen

        chosen(request.select, request.ignore)
    report = judge(request)
    code = status(report, fail_on or settings.fail_on)
    try:
        write(report, form or settings.format, output)
    except BrokenPipeError:  # `| head` must not turn findings into success
        hush()
    if code == UNREADABLE:
        path, message = report.errors[0]
        more = f" (and {len(report.errors) - 1} more)" if report.errors[1:] else ""
        say(f"{path}: {message}{more}" if path else f"{message}{more}")
    return code


def status(report: Report, fail_on: str) -> int:
    """0, 1 or 2. A note never fails a run. Input that could not be read does if nothing else was judged."""
    if report.errors and not report.sites:
        return UNREADABLE
    fatal = {"unsafe": ("error",), "unknown": ("error", "warning"), "never": ()}[fail_on]
    live = (site for site in report.sites if site.suppressed is None)
    return int(any(finding.severity in fatal for site in live for finding in site.findings))


def write(report: Report, form: str, output: str | None) -> None:
    """The report in this format, to `output` or to standard output."""
    if form == "text" and output is None:
        from allocsafe.report import text

        lenient()
        text.show(report, _rules(report), sys.stdout)
        sys.stdout.flush()
        return
    words = _rendered(report, form)
    if output is None:
        lenient()
        sys.stdout.write(words)
        sys.stdout.flush()
    else:
        Path(output).write_bytes(words.encode("utf-8", "backslashreplace"))


def _rendered(report: Report, form: str) -> str:
    if form == "json":
        from allocsafe.report import as_json

        return as_json.render(report)
    if form == "github":
        from allocsafe.report import github

        return github.render(report)
    if form == "markdown":
        from allocsafe.report import markdown

        return markdown.render(report, _rules(report))
    if form == "sarif":
        from allocsafe.report import sarif

        return sarif.render(report, _rules(report))
    from allocsafe.report import text

    return text.render(report, _rules(report))


def _rules(report: Report) -> dict[str, Rule]:
    """The rules by code; none are loaded for a report that quotes none."""
    if not any(site.findings for site in report.sites):
        return {}
    from allocsafe.packs import rules as load

    return {rule.code: rule for rule in load()}


def _folder(root: str) -> Path:
    path = Path(root)
    if not path.exists():
        raise click.UsageError(f"--root: no such folder: {root}")
    if not path.is_dir():
        raise click.UsageError(f"--root: not a folder: {root}")
    return path


def _bytes(patch: str) -> bytes:
    if patch == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(patch).read_bytes()
    except (OSError, ValueError) as error:
        raise click.UsageError(f"cannot read the patch {patch}: {getattr(error, 'strerror', None) or error}") from error


def _split(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(code for value in values for code in (part.strip() for part in value.split(",")) if code)


@group.command()
@click.argument("paths", nargs=-1, metavar="[PATHS]...")
@click.option("--root", metavar="DIR", help="The repository or folder to read; a bare one serves, with --at.")
@click.option("--at", "rev", metavar="REV", help="Audit this commit, read from git objects. Nothing is checked out.")
@click.option("--only", metavar="PATH", multiple=True, help="Judge allocations in these paths only (repeatable).")
@click.option("--format", "form", type=click.Choice(FORMATS), help="How to report (default: text).")
@click.option("--output", metavar="FILE", help="Write the report there instead of standard output.")
@click.option(
    "--fail-on", type=click.Choice(("unsafe", "unknown", "never")), help="What exits with 1 (default: unsafe)."
)
@click.option(
    "--select", metavar="CODES", multiple=True, help="Only these rules, as codes or prefixes, comma-separated."
)
@click.option("--ignore", metavar="CODES", multiple=True, help="Not these rules.")
@click.option("--budget", type=float, metavar="SECONDS", help="Time for one site before it is unknown (default: 0.45).")
@click.option("--jobs", type=click.IntRange(1, 512), metavar="N", help="Processes (default: one a core).")
@click.option("--no-cache", is_flag=True, help="Neither read nor write a cache.")
def scan(
    paths: tuple[str, ...],
    *,
    root: str | None,
    rev: str | None,
    only: tuple[str, ...],
    form: str | None,
    output: str | None,
    fail_on: str | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    budget: float | None,
    jobs: int | None,
    no_cache: bool,
) -> int:
    """Audit a tree without a patch: every allocation that starts uninitialised.

    PATHS are files or folders (default: the working folder). Code outside of them is followed but not judged.
    """
    from allocsafe import config as configuration
    from allocsafe import scan as scans

    if budget is not None and not budget > 0:
        raise click.UsageError(f"--budget: expected a number of seconds above 0, not {budget:g}")
    folder = None if root is None else _folder(root)
    settings = configuration.load(scans.home(paths, folder))
    request = scans.Request(
        paths=paths or (() if folder is not None else (".",)),
        root=folder,
        rev=rev,
        only=only,
        select=_split(select) or settings.select,
        ignore=_split(ignore) or settings.ignore,
        budget=budget if budget is not None else scans.BUDGET,
        jobs=jobs or scans.cores(),
        config=settings,
        use_cache=not no_cache,
    )
    return _report(request, settings, scans.scan, form=form, output=output, fail_on=fail_on)


@group.command()
@click.argument("operator")
@click.option("--root", metavar="DIR", help="The tree to look in (default: the working folder); a bare one serves.")
def contract(operator: str, *, root: str | None) -> int:
    """What is known of OPERATOR (`pkg.name` or `ns::name`), and from where.

    Exit status 1: nothing is known of it. To say it, in pyproject.toml:

    \b
    [tool.allocsafe.contracts]
    "pkg.name" = "(x, n, out) reads x; writes out[:n]; returns out"

    Clauses: reads, indexes, writes, accumulates, keeps, ignores, returns, guarded by. `part of x` is some of x; x[:n],
    x[y[-1]:], x[:, 0] are regions; `x up to y` is bounded by the elements of y; `*` is every other argument.
    """
    from allocsafe import config as configuration
    from allocsafe import packs
    from allocsafe.known import known_of, shown
    from allocsafe.patch.folder import FolderTree
    from allocsafe.patch.objects import GitTree

    if not operator.strip() or any(mark.isspace() for mark in operator):
        raise click.UsageError(f"an operator is written pkg.name or ns::name, not {operator!r}")
    folder = None if root is None else _folder(root)
    settings = configuration.load(folder)
    here = folder or Path.cwd()
    bare = (here / "objects").is_dir() and (here / "HEAD").is_file()
    tree = GitTree(here, "HEAD") if bare else FolderTree(here)
    found = known_of(operator, tree, packs.packs(), settings.contracts)
    lenient()
    click.echo(shown(found), nl=False)
    return 0 if found.pieces else 1


@group.command()
@click.argument("code")
def explain(code: str) -> int:
    """What the rule CODE finds, why it matters, and how to fix it."""
    from allocsafe.packs import rule as find
    from allocsafe.report.manual import explained

    lenient()
    click.echo(explained(find(code)), nl=False)
    return 0


@group.command()
def rules() -> int:
    """The table of rules."""
    from allocsafe.packs import rules as load
    from allocsafe.report.manual import table

    lenient()
    click.echo(table(load()), nl=False)
    return 0


__all__ = ["check", "contract", "explain", "group", "rules", "scan", "status", "write"]
