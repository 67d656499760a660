"""What a guard has found: one thing that is not as it should be, where, by which rule, and what to do."""

from orchestrator_py.lean import define, field, frozen


@frozen(kw_only=True)
class Finding:
    """`file` is relative to the repository, None if it is about no single one; `line` counts from 1."""

    file: str | None
    line: int | None = None
    rule: str
    message: str
    remedy: str

    def __str__(self) -> str:
        place = "" if self.file is None else f"{self.file}: " if self.line is None else f"{self.file}:{self.line}: "
        return f"{place}{self.rule}: {self.message}. {self.remedy}."


@define(kw_only=True)
class Report:
    """What one guard has to say; `scope` is what it has looked at, in words. A reason waives all its findings."""

    guard: str
    scope: str
    findings: list[Finding] = field(factory=list)
    notes: list[str] = field(factory=list)
    waived: str | None = None
