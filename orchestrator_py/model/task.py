"""What is to be done: the task, and the plan that a planner makes of it."""

from collections.abc import Mapping
from enum import Enum

from orchestrator_py.ids import TaskId, parse_task_id
from orchestrator_py.lean import field, frozen
from orchestrator_py.model.absent import ABSENT, Absent
from orchestrator_py.model.extra import NO_EXTRA
from orchestrator_py.model.policy import SubtaskPolicy


class Mode(Enum):
    """Where a subtask runs; a group is `cloud` as soon as one of its processed subtasks is."""

    MCP = "mcp"
    CLOUD = "cloud"


@frozen(kw_only=True)
class TaskContext:
    """One unit of work as the caller names it. The id names folders, so it is checked; IdentifierError if it cannot.

    `metadata` is JSON data for the agents; `metadata["execution"]["parallel"]` makes the default mode policy answer `cloud`.
    """

    id: TaskId = field(converter=parse_task_id)
    title: str
    description: str | None = None
    metadata: Mapping[str, object] = field(factory=dict)
    extra: Mapping[str, object] = field(default=NO_EXTRA, repr=False)


@frozen(kw_only=True)
class PlanItem:
    """One subtask of a plan. Every key but the id may be absent; keys that we do not know are kept in `extra`.

    `requires_cloud` and `requires_cloud_alias` are the two spellings that consumers read (`requires_cloud`, `requiresCloud`).
    `policy` stays inside: needs, retries, time limit.
    """

    id: str
    description: str | Absent = ABSENT
    requires_cloud: bool | None | Absent = ABSENT
    requires_cloud_alias: bool | None | Absent = ABSENT
    runnable: bool | None | Absent = ABSENT
    metadata: Mapping[str, object] | None | Absent = ABSENT
    selected: bool | None | Absent = ABSENT
    policy: SubtaskPolicy = SubtaskPolicy()
    extra: Mapping[str, object] = field(default=NO_EXTRA, repr=False)


@frozen(kw_only=True)
class PlanResult:
    """The planner's answer: the subtasks in their order, free notes, and the id of the item to put first."""

    items: tuple[PlanItem, ...] = field(converter=tuple[PlanItem, ...])
    notes: str | None | Absent = ABSENT
    target_id: str | None | Absent = ABSENT
    extra: Mapping[str, object] = field(default=NO_EXTRA, repr=False)
