"""Which files have changed."""

from itertools import chain

from orchestrator_py.guards.comparison import Comparison
from orchestrator_py.guards.git import Git


def changed_names(git: Git, comparison: Comparison) -> set[str]:
    """Files that were added, changed or deleted; one that was renamed has two names."""
    return set(chain(_committed(git, comparison), () if comparison.end else _uncommitted(git)))


def _committed(git: Git, comparison: Comparison) -> list[str]:
    if comparison.head in (None, comparison.start):
        return []
    assert comparison.head is not None
    return git.words("diff-tree", "-r", "-z", "--name-only", "--no-renames", "--relative", comparison.start, comparison.head, "--")


def _uncommitted(git: Git) -> list[str]:
    """Staged, changed and untracked, in one pass; git names them from the top of the repository."""
    shown = git.words("status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=dirty", "--", ".")
    return [entry[3:].removeprefix(git.prefix) for entry in shown]
