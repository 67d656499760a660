"""What a change is measured against: a base, one commit, or a range. A name that stands for no commit is an error, never another base."""

from orchestrator_py.errors import InputError
from orchestrator_py.guards.git import Git
from orchestrator_py.lean import frozen

_USUAL = ("origin/main", "origin/HEAD")
_FETCH = "fetch the whole history (`git fetch --unshallow`; of actions/checkout: `fetch-depth: 0`)"


@frozen(kw_only=True)
class Comparison:
    """From `start`, a commit or a tree, to `end`, a commit; None stands for what is committed, staged, changed and untracked together.

    `head` is the last commit, None if there is none yet. `label` names the start in words, `named` tells whether somebody has asked for it.
    """

    start: str
    end: str | None
    head: str | None
    label: str
    named: bool = True


def against_base(git: Git, base: str | None) -> Comparison:
    """From where the history leaves the base; without a name from `origin/main`, `origin/HEAD`, else from the first commit on."""
    head = git.line("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    if base is not None:
        return Comparison(start=_fork(git, _commit(git, base), head, base), end=None, head=head, label=base)
    if head is None:
        return Comparison(start=_empty_tree(git), end=None, head=None, label="nothing", named=False)
    for name in _USUAL:
        if commit := _verify(git, name):
            return Comparison(start=_fork(git, commit, head, name), end=None, head=head, label=name, named=False)
    if git.shallow:
        raise InputError(f"This clone is shallow and has no origin/main, so there is no base; {_FETCH}, or name one with --base.")
    return Comparison(start=_first_commit(git), end=None, head=head, label="the first commit", named=False)


def of_work_tree(git: Git) -> Comparison:
    """What is not committed."""
    head = git.line("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    return Comparison(start=head or _empty_tree(git), end=None, head=head, label="the last commit" if head else "nothing")


def of_commit(git: Git, name: str) -> Comparison:
    """What one commit changes; of a merge, in its first parent."""
    commit = _commit(git, name)
    parent = _verify(git, f"{commit}^1")
    if parent is None and git.shallow:
        raise InputError(f"This clone is shallow, and what {name} follows is not in it; {_FETCH}.")
    return Comparison(start=parent or _empty_tree(git), end=commit, head=commit, label=f"the commit before {name}")


def of_range(git: Git, text: str) -> Comparison:
    """`A..B`, or `A...B` for what B has changed since it left A."""
    start, dots, end = text.partition("...") if "..." in text else text.partition("..")
    if not dots:
        raise InputError(f"{text!r} is not a range; write A..B or A...B.")
    first, last = _commit(git, start or "HEAD"), _commit(git, end or "HEAD")
    begun = _fork(git, first, last, start or "HEAD") if dots == "..." else first
    return Comparison(start=begun, end=last, head=last, label=f"the range {text}")


def last_commit(git: Git, comparison: Comparison) -> Comparison | None:
    """The last commit alone; None if what it follows is not there."""
    parent = _verify(git, "HEAD^1") if comparison.head else None
    if parent is None:
        return None
    return Comparison(start=parent, end=comparison.head, head=comparison.head, label="the commit before the last")


def _commit(git: Git, name: str) -> str:
    if commit := _verify(git, name):
        return commit
    fetch = _FETCH if git.shallow else "fetch it first"
    raise InputError(f"{name!r} names no commit of this repository; correct the option or variable that says so, or {fetch}.")


def _verify(git: Git, name: str) -> str | None:
    """What begins like an option is none, and no commit either."""
    usable = name and not name.startswith("-") and "\0" not in name and "\n" not in name
    return git.line("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}") if usable else None


def _fork(git: Git, base: str, head: str | None, name: str) -> str:
    if head is None:
        raise InputError(f"There is no commit yet that could be held against {name!r}; leave the base out, or commit first.")
    if fork := git.line("merge-base", base, head):
        return fork
    where = " in this shallow clone" if git.shallow else ""
    raise InputError(f"{name!r} and HEAD have no commit in common{where}; {_FETCH}, or name another base.")


def _empty_tree(git: Git) -> str:
    """Its name depends on how the repository makes names."""
    tree = git.line("hash-object", "-t", "tree", "--stdin")
    assert tree is not None
    return tree


def _first_commit(git: Git) -> str:
    """The oldest of those that follow none."""
    return (git.line("rev-list", "--max-parents=0", "HEAD") or "HEAD").split()[-1]
