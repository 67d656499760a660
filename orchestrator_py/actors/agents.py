"""What a worker lane is given: the agents, and one subtask to run with them."""

from attrs import frozen

from orchestrator_py.ids import RunId, SubtaskId
from orchestrator_py.model.task import Mode, PlanItem, PlanResult, TaskContext
from orchestrator_py.ports import Builder, Reviewer, Tester


@frozen(kw_only=True)
class Agents:
    """Who does the work, checks it and judges it."""

    builder: Builder
    tester: Tester
    reviewer: Reviewer


@frozen(kw_only=True)
class SubtaskOrder:
    """One subtask of a run."""

    task: TaskContext
    plan: PlanResult
    item: PlanItem
    mode: Mode
    run_id: RunId

    @property
    def subtask_id(self) -> SubtaskId:
        return SubtaskId(self.item.id)
