"""Random histories of files made of few different lines, so that hunks would fit in many places.

Git's objects say what each commit did; its patch text must say the same on the old tree, on the new tree and on the
commit, and so must a series of mails.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from allocsafe.patch import Change, from_git, from_patch

from tests.patch.scratch import Scratch

LINES = ["a = 1", "", "    b()", "# c", "x" * 60]


def sides(change: Change) -> dict[tuple[str | None, str | None], tuple[str | None, str | None]]:
    return {
        (pair.old_path, pair.new_path): (pair.old and pair.old.text, pair.new and pair.new.text)
        for pair in change.pairs
        if pair.status != "mode"
    }


def step(chance: random.Random, files: dict[str, list[str]], number: int) -> None:
    """One to three edits, deletions, renames or new files."""
    for _ in range(chance.randrange(1, 4)):
        name = chance.choice(sorted(files))
        rows = files[name]
        what = chance.random()
        if what < 0.7:
            at = chance.randrange(len(rows) + 1)
            rows[at : at + chance.randrange(4)] = chance.choices(LINES, k=chance.randrange(4))
        elif what < 0.8:
            files[f"new{number}.py"] = chance.choices(LINES, k=chance.randrange(9))
        elif what < 0.9 and len(files) > 2:
            del files[name]
        else:
            files[f"d{number}/{name.rsplit('/')[-1]}"] = files.pop(name)


def write(repo: Scratch, files: dict[str, list[str]], chance: random.Random) -> str:
    for path in repo.root.rglob("*.py"):
        path.unlink()
    return repo.commit({name: "\n".join(rows) + "\n" * chance.randrange(2) for name, rows in files.items()})


@pytest.mark.parametrize("seed", range(4))
def test_text_and_objects_agree(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    repo = Scratch(tmp_path)
    files = {f"f{n}.py": chance.choices(LINES, k=40) for n in range(4)}
    commits = [write(repo, files, chance)]
    compared = 0
    for number in range(10):
        step(chance, files, number)
        commits.append(write(repo, files, chance))
        truth = sides(from_git(repo.root, commits[-2], commits[-1]))
        patch = repo.diff(f"-U{chance.randrange(1, 5)}", commits[-2], commits[-1])
        assert sides(from_patch(patch, repo.root)) == truth
        assert sides(from_patch(patch, repo.root, commits[-2])) == truth
        repo.git("checkout", "-q", commits[-2])
        assert sides(from_patch(patch, repo.root)) == truth
        repo.git("checkout", "-q", "main")
        compared += len(truth)
    assert compared > 10
    mails = repo.git("format-patch", "--stdout", "-M", f"{commits[0]}..main")
    new = {path: text for (_, path), (_, text) in sides(from_git(repo.root, commits[0], "main")).items() if path}
    for root, rev in ((repo.root, None), (repo.root, commits[0])):
        series = sides(from_patch(mails, root, rev))  # renames may be paired otherwise than git pairs the two ends
        assert {path: text for (_, path), (_, text) in series.items() if path and text != new.get(path)} == {}
        unchanged = {path for path in new if path not in {now for _, now in series}}
        assert not unchanged
