"""git, called without a shell, in a known environment; names of files are separated by NUL, never quoted."""

import os
import subprocess
from collections.abc import Iterable

from orchestrator_py.errors import InputError

_SETTINGS = ("--no-pager", "--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false")
_KEPT = ("GIT_CONFIG", "GIT_DISCOVERY_ACROSS_FILESYSTEM", "GIT_CEILING_DIRECTORIES")
_NOWHERE = ("not a git repository (or any", "must be run in a work tree")


NO_REPOSITORY = "there is no git work tree here, so nothing has changed"


class GitError(InputError):
    """git has refused; the message is its own, with the remedy."""


class Git:
    """A work tree, seen from one folder of it: names are relative to that folder, and what lies outside is not told."""

    def __init__(self, folder: str, prefix: str, environment: dict[str, str], *, shallow: bool) -> None:
        self.folder = folder
        self.prefix = prefix
        self.shallow = shallow
        self._environment = environment

    @classmethod
    def at(cls, folder: str) -> "Git | None":
        """None if it belongs to no work tree. GitError if git cannot tell."""
        environment = _environment()
        done = _run(folder, environment, ("rev-parse", "--is-shallow-repository", "--show-toplevel"), b"")  # no toplevel: no work tree
        if done.returncode:
            message = os.fsdecode(done.stderr)
            if any(words in message for words in _NOWHERE):
                return None
            raise _refusal(message)
        shallow, prefix = done.stdout.startswith(b"true"), _answer(folder, environment, "--show-prefix")
        if "GIT_INDEX_FILE" in os.environ:
            environment |= _index(_answer(folder, environment, "--absolute-git-dir"))
        return cls(folder, prefix, environment, shallow=shallow)

    def words(self, *words: str, given: bytes = b"") -> list[str]:
        """What it prints between NUL characters. GitError if it fails."""
        done = _run(self.folder, self._environment, words, given)
        if done.returncode:
            raise _refusal(os.fsdecode(done.stderr))
        return os.fsdecode(done.stdout).split("\0")[:-1]

    def line(self, *words: str, given: bytes = b"") -> str | None:
        """The one line that it prints; None if it fails."""
        done = _run(self.folder, self._environment, words, given)
        return None if done.returncode else os.fsdecode(done.stdout).strip() or None

    def ignores(self, path: str) -> bool:
        """Whether it would not look at the path, if it were there. What no path can hold is not ignored."""
        if "\0" in path:
            return False
        environment = self._environment | {"GIT_LITERAL_PATHSPECS": "0"}  # which this command does not know
        return _run(self.folder, environment, ("check-ignore", "--quiet", "--", path), b"").returncode == 0

    def ask(self, *words: str, paths: Iterable[str]) -> list[str]:
        """As `words`, of a command that reads the paths from stdin."""
        return self.words(*words, given=b"".join(os.fsencode(path) + b"\0" for path in paths))


def open_repository(root: str, *named: str | None) -> Git | None:
    """None if there is none, which is an error for who has named commits of it."""
    git = Git.at(root)
    if git is None and any(named):
        raise InputError(f"{root} is no git work tree, so it has no {' and no '.join(name for name in named if name)}; leave it out.")
    return git


def _run(folder: str, environment: dict[str, str], words: Iterable[str], given: bytes) -> "subprocess.CompletedProcess[bytes]":
    try:
        return subprocess.run(["git", *_SETTINGS, *words], cwd=folder, env=environment, input=given, capture_output=True, check=False)
    except FileNotFoundError:
        raise GitError("git cannot be found; install it, or correct PATH.") from None


def _answer(folder: str, environment: dict[str, str], question: str) -> str:
    """Of rev-parse, to one question at a time: the name of a folder may hold line breaks."""
    done = _run(folder, environment, ("rev-parse", question), b"")
    if done.returncode:
        raise _refusal(os.fsdecode(done.stderr))
    return os.fsdecode(done.stdout).removesuffix("\n")


def _environment() -> dict[str, str]:
    """Ours, in plain English, without what a surrounding git says of another repository."""
    kept = {name: value for name, value in os.environ.items() if not _speaks_of_a_repository(name) and name != "LANGUAGE"}
    return {**kept, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_LITERAL_PATHSPECS": "1"}


def _speaks_of_a_repository(name: str) -> bool:
    """And not of what git is to do wherever it looks: whom it trusts, how far up it searches."""
    return name.startswith("GIT_") and not name.startswith(_KEPT)


def _index(git_folder: str) -> dict[str, str]:
    """A hook is told which index is being committed; it counts if it is one of this repository."""
    index = os.environ.get("GIT_INDEX_FILE", "")
    path = os.path.realpath(index)
    return {"GIT_INDEX_FILE": path} if index and os.path.dirname(path) == os.path.realpath(git_folder) else {}


def _refusal(message: str) -> GitError:
    """The line that says what is wrong, or the last there is."""
    lines = [line for line in message.splitlines() if line.strip()] or ["it does not say why"]
    fatal = next((line for line in lines if line.startswith("fatal: ")), lines[-1])
    return GitError(f"git: {fatal.removeprefix('fatal: ').rstrip('.')}; `git status` in the repository tells more.")
