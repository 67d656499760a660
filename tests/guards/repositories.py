"""Small repositories, made once and copied: commits are slow, copies are not."""

import os
import shutil
import subprocess
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest
from attrs import frozen

NOW = datetime(2025, 6, 15, 12, tzinfo=UTC)
FRESH = "last_review: 2025-06-01\n"
SPEC = "tasks/specs/a.md"

_IDENTITY = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_AUTHOR_DATE": "2025-06-01T00:00:00Z",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_COMMITTER_DATE": "2025-06-01T00:00:00Z",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}
_SETTINGS = ("-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always", "-c", "gc.auto=0", "-c", "core.fsync=none")


@frozen
class Repository:
    """A work tree."""

    path: Path

    def git(self, *words: str) -> str:
        """What it prints; AssertionError with what it says if it fails."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        line = ["git", *_SETTINGS, *words]
        done = subprocess.run(line, cwd=self.path, env=kept | _IDENTITY, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{line}: {done.stderr}"
        return done.stdout

    def put(self, name: str, content: str | bytes = "x\n") -> "Repository":
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return self

    def commit(self, **files: str) -> "Repository":
        """Everything that lies there, and these files (`__` stands for `/`, `_dot_` for a dot)."""
        for name, content in files.items():
            self.put(name.replace("__", "/").replace("_dot_", "."), content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message=m")
        return self

    def leave_in_conflict(self) -> "Repository":
        """A merge that has stopped, at src/a.py."""
        self.commit(src__a_dot_py="mine\n").git("checkout", "--quiet", "main")
        self.commit(src__a_dot_py="theirs\n")
        with pytest.raises(AssertionError):
            self.git("merge", "work")
        return self

    def remove(self, name: str) -> None:
        (self.path / name).unlink()


@cache
def _template() -> Path:
    """Code and a specification in one commit, which is origin/main too; the branch `work` is checked out."""
    made = Repository(Path(mkdtemp(prefix="guards-")) / "template")
    made.path.mkdir()
    made.git("init", "--quiet", "--template=")
    made.put("src/a.py", "line\n" * 10)
    made.put("README.md", "# A\n")
    made.put(SPEC, FRESH)
    made.commit()
    made.git("update-ref", "refs/remotes/origin/main", "HEAD")
    made.git("checkout", "--quiet", "-b", "work")
    return made.path


def repository(folder: Path) -> Repository:
    """A copy of the template, at `folder`."""
    shutil.copytree(_template(), folder)
    return Repository(folder)


def empty_repository(folder: Path) -> Repository:
    """Without a commit."""
    folder.mkdir()
    made = Repository(folder)
    made.git("init", "--quiet", "--template=")
    return made


def remove_templates() -> None:
    """At the end of the tests."""
    if _template.cache_info().currsize:
        shutil.rmtree(_template().parent)
        _template.cache_clear()
