"""A git repository, read and never written: commits and the index as trees, through one `git cat-file --batch`.

Starting git costs more than anything it does for us (4 ms each), so objects come from a single process that is
started when the first one is asked for, and listings from one call each. Nothing is checked out, so a bare repository
serves. Only plumbing that leaves the index alone is called; names that begin with `-` never reach git, where they
would be options.

In a hook, git names the index to judge in the environment. That holds for the folder the hook runs in and for no
other.

Gives up: a path with a line break in it cannot be asked for by name and is looked up in the listing instead.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from allocsafe.patch.contents import quoted, refusal, source, text_id
from allocsafe.patch.names import leads_out, text
from allocsafe.patch.pairs import PatchError
from allocsafe.patch.words import Later, Words
from allocsafe.source import Source

REGULAR = ("100644", "100755", "100664")
_HOME = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR")
_NEVER = ("GIT_EXTERNAL_DIFF", "GIT_DIFF_OPTS", "GIT_TRACE", "GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS")


class Repository:
    """Calls git in one repository."""

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise PatchError(f"{root}: no such folder")
        self.root = root
        self._env = _environment(root)
        self._batch: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._blobs: dict[str, bytes] = {}
        self.searched: list[Words] = []  # what is known of words in the first tree that was searched for some

    def run(self, *args: str, answers: tuple[int, ...] = (0,)) -> bytes:
        """What git prints. Any other exit status than `answers` is an error in git's own words."""
        command = ["git", "--no-pager", "-C", str(self.root), *args]
        try:
            done = subprocess.run(command, capture_output=True, env=self._env, check=False, stdin=subprocess.DEVNULL)
        except OSError as error:
            raise PatchError(f"cannot run git: {error.strerror}") from error
        if done.returncode not in answers:
            raise PatchError(self._complaint(done.stderr, args))
        return done.stdout

    def _complaint(self, stderr: bytes, args: Sequence[str]) -> str:
        lines = [row for row in stderr.decode("utf-8", "replace").splitlines() if row.strip()]
        fatal = [row for row in lines if row.startswith(("fatal: ", "error: "))]
        words = (fatal or lines or [f"git {args[0]} failed"])[0].split(": ", 1)[-1]
        if words.startswith("not a git repository"):
            words = "not a git repository"
        return f"{self.root}: {words}"

    def tree(self, rev: str) -> str:
        """The id of a revision's tree, so that all later questions are about the same state."""
        if not rev or rev.startswith("-") or not rev.isprintable():
            raise PatchError(f"{self.root}: not a revision: {quoted(rev)}")
        found = self.ask(f"{rev}^{{tree}}")
        if found is None or found[1] != "tree":
            raise PatchError(f"{self.root}: no commit named {quoted(rev)} in this repository")
        return found[0]

    def head(self) -> str:
        """The id of HEAD's tree; of the empty tree before the first commit."""
        found = self.ask("HEAD^{tree}")
        if found is not None:
            return found[0]
        return self.run("hash-object", "-t", "tree", "--stdin").decode().strip()

    def top(self) -> Path:
        """The working tree's folder."""
        if os.path.lexists(self.root / ".git"):
            return self.root
        if self.run("rev-parse", "--is-bare-repository").strip() == b"true":
            raise PatchError(f"{self.root}: a bare repository has no working tree and no index; name two commits")
        return Path(text(self.run("rev-parse", "--show-toplevel").rstrip(b"\n")))

    def blob(self, name: str) -> bytes | None:
        """A file's bytes by id or `tree:path`; None if there is no such file. Links inside the tree are followed."""
        found = self.ask(name)
        return found[2] if found is not None and found[1] == "blob" else None

    def ask(self, name: str) -> tuple[str, str, bytes] | None:
        """(id, kind, bytes) of an object."""
        if "\n" in name:
            return None
        to, answers = self._pipes()
        try:
            to.write(name.encode("utf-8", "surrogateescape") + b"\n")
            to.flush()
            head = answers.readline()
        except OSError:
            head = b""
        if not head:
            raise PatchError(self._stopped())
        words = head.rstrip(b"\n").rsplit(b" ", 2)
        if len(words) == 3 and words[2].isdigit():
            data = answers.read(int(words[2]))
            answers.read(1)
            return words[0].decode("ascii", "replace"), words[1].decode("ascii", "replace"), data
        kind = head.split(b" ", 1)
        if kind[0] in (b"symlink", b"dangling", b"loop", b"notdir") and kind[-1].strip().isdigit():
            answers.read(int(kind[-1]) + 1)
        return None

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._batch is None or self._owner != os.getpid():  # after a fork, the parent's pipe is not ours
            command = ["git", "-C", str(self.root), "cat-file", "--batch", "--follow-symlinks"]
            pipe, null = subprocess.PIPE, subprocess.DEVNULL  # a pipe for complaints that nobody reads would fill up
            try:
                self._batch = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=null, env=self._env)
            except OSError as error:
                raise PatchError(f"cannot run git: {error.strerror}") from error
            self._owner = os.getpid()
        assert self._batch.stdin is not None
        assert self._batch.stdout is not None
        return self._batch.stdin, self._batch.stdout

    def _stopped(self) -> str:
        """Why the process ended: git is asked something harmless, and says what is wrong here."""
        self.close()
        self.run("rev-parse", "--git-dir")
        return f"{self.root}: git cat-file stopped"

    def blobs(self, names: Sequence[str]) -> list[bytes]:
        """The bytes of many objects, in order; nothing for one that is not there. Two trees share what both have."""
        missing = [name for name in dict.fromkeys(names) if name not in self._blobs]
        self._blobs.update(zip(missing, self._many(missing), strict=True) if missing else ())
        return [self._blobs[name] for name in names]

    def _many(self, names: Sequence[str]) -> Iterator[bytes]:
        """The same through a process of its own, which is told all names at once."""
        import tempfile  # a hook that asks for no whole tree does without

        command = ["git", "-C", str(self.root), "cat-file", "--batch", "--buffer"]
        asked = "".join(f"{name}\n" for name in names).encode("ascii")
        with tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as said:  # nobody waits for the other to read
            told.write(asked)
            told.seek(0)
            try:
                with subprocess.Popen(command, stdin=told, stdout=subprocess.PIPE, stderr=said, env=self._env) as git:
                    assert git.stdout is not None
                    _widen(git.stdout.fileno())
                    answers = git.stdout.read()
            except OSError as error:
                raise PatchError(f"cannot run git: {error.strerror}") from error
            said.seek(0)
            complaint = said.read()
        at = 0
        for _ in names:
            end = answers.find(b"\n", at)
            if end < 0:
                raise PatchError(self._complaint(complaint, ("cat-file",)))
            size = answers[at:end].rsplit(b" ", 1)[-1]
            at = end + 1
            if size.isdigit():
                yield answers[at : at + int(size)]
                at += int(size) + 1
            else:
                yield b""

    def close(self) -> None:
        """Ends the process; the next question starts another."""
        batch, self._batch = self._batch, None
        if batch is None or self._owner != os.getpid():
            return
        for pipe in (batch.stdin, batch.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        batch.wait()

    def __del__(self) -> None:
        if getattr(self, "_batch", None) is not None:
            self.close()


def _widen(pipe: int) -> None:
    """Lets a pipe hold as much as the system allows a user: each of its fills costs two changes of process."""
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 1 << 20)


def _environment(root: Path) -> dict[str, str]:
    env = {key: value for key, value in os.environ.items() if key not in _NEVER}
    try:
        here = root.resolve() == Path.cwd()
    except OSError:  # the folder that we were started in is gone
        here = False
    if not here:
        for key in _HOME:
            env.pop(key, None)
    env.update(LC_ALL="C", GIT_OPTIONAL_LOCKS="0", GIT_NO_LAZY_FETCH="1", GIT_TERMINAL_PROMPT="0")
    return env


def _grep(repo: Repository, word: str, suffixes: tuple[str, ...], *where: str) -> list[str]:
    """Paths, each with `where`'s prefix, if git prints one. `:(top)`: of the whole tree, wherever we were started."""
    if not word or "\n" in word or not suffixes:
        return []
    kinds = [f":(top)*{suffix}" for suffix in suffixes]
    args = ["grep", "-lwFz", "--full-name", "--no-color", "-e", word, *where, "--", *kinds]
    return [text(row) for row in repo.run(*args, answers=(0, 1)).split(b"\0") if row]


class GitTree:
    """The files of one commit."""

    def __init__(self, root: Path | Repository, rev: str) -> None:
        self.repo = root if isinstance(root, Repository) else Repository(root)
        self.tree = self.repo.tree(rev)
        self._known: dict[str, Source | None] = {}
        self._listed: dict[str, str] | None = None
        self._searched = Later(self._listing, self.repo.blobs, self.repo.searched)

    def data(self, path: str) -> bytes | None:
        """The bytes of a file; None if there is none."""
        if not path or leads_out(path):
            return None
        if "\n" in path:
            return self.repo.blob(self._listing()[path]) if path in self._listing() else None
        return self.repo.blob(f"{self.tree}:{path}")

    def read(self, path: str) -> Source | None:
        if path not in self._known:
            data = self._searched.data(path) or self.data(path)
            self._known[path] = None if data is None or refusal(data) else source(path, data)
        return self._known[path]

    def keep(self, path: str, known: Source | None) -> None:
        """A text that was read by its id: no need to ask again."""
        self._known[path] = known

    def content(self, path: str) -> str:
        """The id of a file's content; empty if there is none."""
        return self._listing().get(path) or text_id(self.read(path))

    def identity(self) -> str:
        """The id of the commit's tree."""
        return f"tree:{self.tree}"

    def paths(self) -> Sequence[str]:
        return sorted(self._listing())

    def _listing(self) -> dict[str, str]:
        if self._listed is None:
            self._listed = {}
            for row in self.repo.run("ls-tree", "-r", "-z", "--full-tree", self.tree).split(b"\0"):
                mode, _, rest = row.partition(b" ")
                if mode.decode() in REGULAR:
                    head, _, path = rest.partition(b"\t")
                    self._listed[text(path)] = head[5:].decode()
        return self._listed

    def mentions(self, word: str, suffixes: tuple[str, ...]) -> list[str]:
        found = self._searched.mentions(word, suffixes)
        if found is not None:
            return found
        skip = len(self.tree) + 1
        return sorted(row[skip:] for row in _grep(self.repo, word, suffixes, self.tree))

    def bases(self, word: str) -> list[str] | None:
        return self._searched.bases(word)


class IndexTree:
    """The files as they are staged."""

    def __init__(self, root: Path | Repository) -> None:
        self.repo = root if isinstance(root, Repository) else Repository(root)
        self._known: dict[str, Source | None] = {}
        self._listed: dict[str, str] | None = None
        self._searched = Later(self._listing, self.repo.blobs, self.repo.searched)

    def data(self, path: str) -> bytes | None:
        """The bytes of a staged file; None if there is none, or only a conflict."""
        blob = self._listing().get(path)
        return None if blob is None else self.repo.blob(blob)

    def read(self, path: str) -> Source | None:
        if path not in self._known:
            data = self._searched.data(path) or self.data(path)
            self._known[path] = None if data is None or refusal(data) else source(path, data)
        return self._known[path]

    def keep(self, path: str, known: Source | None) -> None:
        """A text that was read by its id: no need to ask again."""
        self._known[path] = known

    def content(self, path: str) -> str:
        """The id of a file's content; empty if there is none."""
        return self._listing().get(path) or text_id(self.read(path))

    def identity(self) -> str:
        """An id of all that is staged."""
        from hashlib import blake2b

        listed = "".join(f"{blob} {path}\0" for path, blob in self._listing().items())
        return f"index:{blake2b(listed.encode('utf-8', 'surrogateescape'), digest_size=16).hexdigest()}"

    def paths(self) -> Sequence[str]:
        return sorted(self._listing())

    def _listing(self) -> dict[str, str]:
        if self._listed is None:
            self._listed = {}
            for row in self.repo.run("ls-files", "-z", "--stage", "--full-name", "--", ":/").split(b"\0"):
                head, _, path = row.partition(b"\t")
                words = head.decode().split(" ")
                if len(words) == 3 and words[0] in REGULAR and words[2] == "0":
                    self._listed[text(path)] = words[1]
        return self._listed

    def mentions(self, word: str, suffixes: tuple[str, ...]) -> list[str]:
        found = self._searched.mentions(word, suffixes)
        if found is not None:
            return found
        return sorted(_grep(self.repo, word, suffixes, "--cached"))

    def bases(self, word: str) -> list[str] | None:
        return self._searched.bases(word)
