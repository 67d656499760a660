"""One file of a change."""

from orchestrator_py.lean import frozen


@frozen(kw_only=True)
class Change:
    """Lines that are added and deleted, of binary files none. `problem` says why an untracked file could not be counted."""

    path: str
    lines: int = 0
    generated: bool = False
    problem: str | None = None
