"""What an audit of a task's files has found: one thing that is not as it should be, where, and what to do."""

from orchestrator_py.lean import frozen

MENDED_BY_REBUILD = "`orchestrator-py metrics rebuild` mends it"
MENDED_BY_OPENING = "the next run of the task mends it, or `orchestrator-py metrics rebuild`"


@frozen(kw_only=True)
class Finding:
    """`path` is relative to the repository; `line` counts from 1."""

    path: str
    line: int | None = None
    problem: str
    remedy: str = MENDED_BY_REBUILD

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{place}: {self.problem}; {self.remedy}."
