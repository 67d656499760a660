"""One subtask: its attempts, under the first stop cause that was recorded."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from datetime import timedelta
from types import TracebackType

import anyio

from orchestrator_py.actors.agents import RunRules, SubtaskOrder
from orchestrator_py.actors.attempt import Attempt
from orchestrator_py.actors.outlast import ENDS_THE_PROGRAM, forget_cancellation, this_task
from orchestrator_py.actors.run_clock import RunClock
from orchestrator_py.core.outcome import may_be_waived, worse
from orchestrator_py.ids import SubtaskId
from orchestrator_py.lean import define, evolve, field, maker
from orchestrator_py.model.outcome import Outcome, StopCause, StopKind
from orchestrator_py.model.summary import AttemptReport, SubtaskReport
from orchestrator_py.model.timestamp import Timestamp

_log = logging.getLogger("orchestrator_py")

_make_attempt, _make_attempt_report, _make_report = maker(Attempt), maker(AttemptReport), maker(SubtaskReport)

LOOP_IS_CLOSING = StopCause(StopKind.EMBEDDER, "the event loop is closing")


@define(eq=False)
class LaneScope:
    """What ends the work of one lane, the current task: the same scope for all of its attempts, until a cancellation has used it up.

    `with` gives the scope to one attempt. To enter one for each took about a tenth of a subtask that does nothing.
    """

    task: "asyncio.Task[object]" = field(factory=this_task, init=False)
    _scope: anyio.CancelScope | None = field(default=None, init=False)

    def __enter__(self) -> anyio.CancelScope:
        if self._scope is None:
            self._scope = anyio.CancelScope().__enter__()
        return self._scope

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        scope = self._scope
        if scope is None or (error is None and not scope.cancel_called):
            return False
        self._scope = None
        return scope.__exit__(kind, error, trace)

    def close(self) -> None:
        """The lane has no more work; in the task that worked."""
        scope, self._scope = self._scope, None
        if scope is not None:
            try:
                scope.__exit__(None, None, None)
            except RuntimeError as error:  # it is of no more use anyway, and takes nobody's verdict
                _log.warning("an agent has left a cancel scope open: %s", error)


@define(eq=False)
class StopCell:
    """Where a stop is recorded before anything is ended. The first cause stays, and only work that is still running is ended.

    `kept_back`: the stop ended nothing, but another attempt would have followed.
    """

    cause: StopCause | None = None
    kept_back: bool = False
    _scope: anyio.CancelScope | None = None
    _deadline: anyio.CancelScope | None = None

    def stop(self, cause: StopCause) -> None:
        """Record the cause, then end what runs."""
        self.cause = self.cause or cause
        if self._scope is not None and not (self._deadline is not None and self._deadline.cancel_called):
            self._scope.cancel()

    def enter(self, scope: anyio.CancelScope, deadline: anyio.CancelScope | None = None) -> None:
        """Work begins under this scope; a stop that was recorded before ends it at once. A deadline that fired first stays first."""
        self._scope, self._deadline = scope, deadline
        if self.cause is not None:
            scope.cancel()

    def is_ending(self) -> bool:
        """Whether what runs is being cancelled: by a stop, or by its deadline."""
        scope, deadline = self._scope, self._deadline
        if self.cause is None and deadline is None:
            return False
        return (scope is not None and scope.cancel_called) or (deadline is not None and deadline.cancel_called)

    def leave(self) -> None:
        """The end was observed: a later stop does not touch it."""
        self._scope = self._deadline = None


async def run_subtask(
    order: SubtaskOrder,
    rules: RunRules,
    *,
    clock: RunClock,
    cell: StopCell,
    lane: LaneScope,
    on_retry: Callable[[SubtaskId, AttemptReport], Awaitable[None]],
) -> SubtaskReport:
    """Attempts until one succeeds, the policy allows no more, or a stop was recorded. The last attempt decides.

    `on_retry` is told of every attempt that another one follows. Cancellation comes through `cell`; one from outside is recorded there.
    """
    policy = order.item.policy
    attempts: list[AttemptReport] = []
    while True:
        attempt = _make_attempt(order, rules.agents, number=len(attempts) + 1, is_ended=cell.is_ending, task=lane.task)
        began = clock.read()
        cause = await _run_under(attempt, cell, lane, policy.timeout)
        report = _report_attempt(attempt, cause, began, clock.read())
        if not policy.retry.allows_another(attempt=report.number, outcome=report.outcome):
            attempts.append(report)
            break
        report = evolve(report, approvals=attempt.approvals)
        attempts.append(report)
        if cell.cause is None:
            await on_retry(order.subtask_id, report)
            if not await _stopped_while_waiting(policy.retry.pause_after(report.number, rules.chance()), cell):
                continue
        cell.kept_back = True
        break  # the last attempt has its word: a stop never hides a failure
    build, test, review = attempt.results(cause)
    return _make_report(
        subtask_id=order.subtask_id,
        outcome=report.outcome,
        cause=cause,
        mode=order.mode,
        started_at=attempts[0].started_at,
        completed_at=clock.now() if cell.kept_back else report.completed_at,  # the stop may have come in a pause
        attempts=tuple(attempts),
        waived=policy.allow_failure
        and may_be_waived(report.outcome)
        and (cause is None or cause is not cell.cause),  # the run's is no failure
        build=build,
        test=test,
        review=review,
        error=attempt.error,
    )


def _report_attempt(
    attempt: Attempt, cause: StopCause | None, began: tuple[Timestamp, float], ended: tuple[Timestamp, float]
) -> AttemptReport:
    word = _word(attempt, cause)
    return _make_attempt_report(
        number=attempt.number,
        outcome=word,
        started_at=began[0],
        completed_at=ended[0],
        elapsed=timedelta(0, ended[1] - began[1]),  # to name the seconds would take half as long again
        loss=attempt.loss if cause is None and word is not Outcome.SUCCEEDED else None,
    )


def _word(attempt: Attempt, cause: StopCause | None) -> Outcome:
    """Of the cause, if there is one. A child run that we ended may have failed before: that is not hidden, unless it may fail."""
    if cause is None:
        return attempt.outcome or Outcome.CRASHED
    execution = None if attempt.build is None else attempt.build.execution
    child = None if execution is None or attempt.order.item.policy.allow_failure else execution.child_outcome
    return cause.outcome if child is None else worse(cause.outcome, child)


async def _run_under(attempt: Attempt, cell: StopCell, lane: LaneScope, timeout: timedelta | None) -> StopCause | None:
    """Run the attempt; the answer is the cause that was recorded before its end was observed."""
    deadline: anyio.CancelScope | None = None
    try:
        with lane as scope:
            if timeout is None:
                cell.enter(scope)
                await attempt.run()
            else:
                with anyio.move_on_after(timeout.total_seconds()) as deadline:
                    cell.enter(scope, deadline)
                    await attempt.run()
    except asyncio.CancelledError:  # from outside of our scopes
        forget_cancellation()
        cell.stop(LOOP_IS_CLOSING)
        return cell.cause
    except RuntimeError as error:  # an agent has left a scope open, and ours around it cannot be left
        if not scope.cancel_called:
            if deadline is None or deadline.cancel_called:
                raise
            deadline.deadline = math.inf
            attempt.fail(error)
    finally:
        cell.leave()
    if scope.cancel_called:
        return cell.cause
    if timeout is not None and deadline is not None and deadline.cancel_called:
        return StopCause(StopKind.TIMEOUT, f"{timeout.total_seconds():g} s")
    if isinstance(attempt.error, ENDS_THE_PROGRAM):
        cell.stop(end_of_program(attempt.error))
        return cell.cause
    return None


def end_of_program(error: BaseException) -> StopCause:
    """A stop that an agent, or a signal while it worked, asks for."""
    return StopCause(StopKind.EMBEDDER, f"{type(error).__name__} was raised")


async def _stopped_while_waiting(pause: timedelta, cell: StopCell) -> bool:
    try:
        with anyio.CancelScope() as scope:
            cell.enter(scope)
            await anyio.sleep(pause.total_seconds())
    except asyncio.CancelledError:
        forget_cancellation()
        cell.stop(LOOP_IS_CLOSING)
    finally:
        cell.leave()
    return cell.cause is not None
