"""Who works on a run and by which rules, and the order for one subtask that a worker lane is given."""

from collections.abc import Callable
from datetime import timedelta

from orchestrator_py.core.schedule import Bounds
from orchestrator_py.errors import InputError
from orchestrator_py.ids import RunId, SubtaskId
from orchestrator_py.lean import frozen
from orchestrator_py.model.outcome import FailurePolicy
from orchestrator_py.model.task import Mode, PlanItem, PlanResult, TaskContext
from orchestrator_py.ports import Builder, Chance, Reviewer, Tester


@frozen(kw_only=True)
class Agents:
    """Who does the work, checks it and judges it."""

    builder: Builder
    tester: Tester
    reviewer: Reviewer


ModePolicy = Callable[[TaskContext, PlanItem], Mode]


@frozen(kw_only=True)
class RunRules:
    """How a run is worked off: who works, how much at once, what a failure does, what pauses before retries take their randomness from.

    `heartbeat` None: nobody is told that it lives. `timeout` is for the whole run.
    """

    agents: Agents
    mode_policy: ModePolicy
    bounds: Bounds
    on_failure: FailurePolicy
    chance: Chance
    heartbeat: timedelta | None = None
    timeout: timedelta | None = None

    def mode_of(self, task: TaskContext, item: PlanItem) -> Mode:
        """What the policy says; InputError if it raises, or says something else."""
        try:
            mode: object = self.mode_policy(task, item)
        except Exception as error:  # the policy is the caller's code
            mode = error
        if not isinstance(mode, Mode):
            raise InputError(f"mode_policy gave {mode!r:.200} for subtask {item.id}; let it return Mode.MCP or Mode.CLOUD.")
        return mode


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
