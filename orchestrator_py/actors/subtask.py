"""One subtask: its attempts, each build, test, review, under the first stop cause that was recorded."""

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import anyio
from attrs import define, evolve, field, frozen

from orchestrator_py.actors.run_clock import RunClock
from orchestrator_py.core import fixed_texts
from orchestrator_py.core.outcome import build_outcome, review_outcome, test_outcome
from orchestrator_py.ids import RunId, SubtaskId
from orchestrator_py.model.outcome import Outcome, StopCause, StopKind
from orchestrator_py.model.policy import RETRYABLE
from orchestrator_py.model.result import (
    BuildInput,
    BuildResult,
    ReviewDecision,
    ReviewInput,
    ReviewResult,
    TestInput,
    TestResult,
)
from orchestrator_py.model.summary import AttemptReport, SubtaskReport
from orchestrator_py.model.task import Mode, PlanItem, PlanResult, TaskContext
from orchestrator_py.ports import Builder, Reviewer, Tester

_log = logging.getLogger("orchestrator_py")
T = TypeVar("T")


@frozen(kw_only=True)
class Agents:
    """Who does the work, checks it and judges it."""

    builder: Builder
    tester: Tester
    reviewer: Reviewer


@frozen(kw_only=True)
class SubtaskOrder:
    """What a lane is given to run."""

    task: TaskContext
    plan: PlanResult
    item: PlanItem
    mode: Mode
    run_id: RunId

    @property
    def subtask_id(self) -> SubtaskId:
        return SubtaskId(self.item.id)


@define(eq=False)
class StopCell:
    """Where a stop is recorded before anything is ended. The first cause stays, and only work that is still running is ended."""

    cause: StopCause | None = None
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

    def leave(self) -> None:
        """The end was observed: a later stop does not touch it."""
        self._scope = self._deadline = None


@define
class _Attempt:
    """One attempt while it runs: what its stages answered, and what was raised."""

    order: SubtaskOrder
    agents: Agents
    number: int
    build: BuildResult | None = field(default=None, init=False)
    test: TestResult | None = field(default=None, init=False)
    review: ReviewResult | None = field(default=None, init=False)
    error: Exception | None = field(default=None, init=False)
    outcome: Outcome | None = field(default=None, init=False)

    async def run(self) -> Outcome:
        """Build, test, review; the first that is not `succeeded` decides."""
        for stage in (self._build, self._test, self._review):
            self.outcome = None
            outcome = await stage()
            if outcome is not Outcome.SUCCEEDED:
                break
        self.outcome = outcome
        return outcome

    async def _build(self) -> Outcome:
        order = self.order
        given = BuildInput(task=order.task, plan=order.plan, target=order.item, mode=order.mode, run_id=order.run_id, attempt=self.number)
        answer = await self._call(self.agents.builder.build, given)
        problem = _what_is_wrong_with_build(answer)
        if isinstance(answer, BuildResult) and problem is None:
            self.build = evolve(answer, mode=order.mode, run_id=order.run_id)
            return build_outcome(self.build)
        message = problem or fixed_texts.error_message(self._raised(answer))
        self.build = fixed_texts.builder_error(order.item.id, message, mode=order.mode, run_id=order.run_id)
        return Outcome.CRASHED if problem else Outcome.FAILED

    async def _test(self) -> Outcome:
        order, build = self.order, self._built()
        given = TestInput(task=order.task, build=build, target=order.item, mode=order.mode, run_id=order.run_id, attempt=self.number)
        answer = await self._call(self.agents.tester.test, given)
        if isinstance(answer, TestResult):
            self.test = evolve(answer, run_id=order.run_id)
            return test_outcome(self.test)
        message = fixed_texts.error_message(self._raised(answer)) if isinstance(answer, Exception) else fixed_texts.NOT_A_TEST
        self.test = fixed_texts.tester_error(build.subtask_id, message, run_id=order.run_id)
        return Outcome.FAILED if isinstance(answer, Exception) else Outcome.CRASHED

    async def _review(self) -> Outcome:
        order, build, test = self.order, self._built(), self._tested()
        given = ReviewInput(
            task=order.task,
            plan=order.plan,
            build=build,
            test=test,
            target=order.item,
            mode=order.mode,
            run_id=order.run_id,
            attempt=self.number,
        )
        answer = await self._call(self.agents.reviewer.review, given)
        if isinstance(answer, ReviewResult) and isinstance(answer.decision, ReviewDecision):
            self.review = answer
            return review_outcome(answer)
        message = fixed_texts.error_message(self._raised(answer)) if isinstance(answer, Exception) else fixed_texts.NOT_A_REVIEW
        self.review = fixed_texts.reviewer_error(message)
        return Outcome.CRASHED  # a reviewer that gave no answer did not say no

    async def _call(self, method: Callable[[T], Awaitable[object]], given: T) -> object:
        """What the agent answered, or the exception that it raised: agents are the caller's code and may raise anything."""
        try:
            return await method(given)
        except Exception as error:
            _log.debug("an agent of subtask %s raised", self.order.item.id, exc_info=True)
            return error

    def _raised(self, error: object) -> Exception:
        self.error = error if isinstance(error, Exception) else None
        return self.error or ValueError(fixed_texts.NOT_A_BUILD)

    def _built(self) -> BuildResult:
        if self.build is None:
            raise ValueError("a test comes after a build")
        return self.build

    def _tested(self) -> TestResult:
        if self.test is None:
            raise ValueError("a review comes after a test")
        return self.test

    def results(self, cause: StopCause | None) -> tuple[BuildResult, TestResult, ReviewResult]:
        """All three results; what did not run carries the fixed words, what was ended says by what."""
        order = self.order
        stopped = cause or StopCause(StopKind.EMBEDDER)
        build = self.build or fixed_texts.failed_build(
            order.item.id, fixed_texts.stop_text("Builder", stopped), mode=order.mode, run_id=order.run_id
        )
        if build_outcome(build) is not Outcome.SUCCEEDED:
            return build, fixed_texts.test_skipped_after(build, order.run_id), fixed_texts.review_skipped_after_build()
        test = self.test or fixed_texts.failed_test(build.subtask_id, fixed_texts.stop_text("Tester", stopped), run_id=order.run_id)
        if test_outcome(test) is not Outcome.SUCCEEDED:
            return build, test, fixed_texts.review_skipped_after_test()
        text = fixed_texts.stop_text("Reviewer", stopped)
        return build, test, self.review or fixed_texts.declined_review(text, text)


def _what_is_wrong_with_build(answer: object) -> str | None:
    """Agents are the caller's code: what their types promise is looked at once more."""
    match answer:
        case Exception() | BuildResult(subtask_id=str(), success=bool()):
            return None
        case BuildResult(subtask_id=str()):
            return fixed_texts.BUILD_WITHOUT_SUCCESS
        case _:
            return fixed_texts.NOT_A_BUILD


async def run_subtask(
    order: SubtaskOrder,
    agents: Agents,
    *,
    clock: RunClock,
    cell: StopCell,
    on_retry: Callable[[AttemptReport], Awaitable[None]],
) -> SubtaskReport:
    """Attempts until one succeeds, the policy allows no more, or a stop was recorded. The last attempt decides.

    `on_retry` is told of every attempt that another one follows. Cancellation comes through `cell` alone.
    """
    policy = order.item.policy
    attempts: list[AttemptReport] = []
    while True:
        attempt = _Attempt(order, agents, number=len(attempts) + 1)
        report, cause = await _run_attempt(attempt, clock=clock, cell=cell, timeout=policy.timeout)
        attempts.append(report)
        again = cell.cause is None and policy.retry.allows_another(attempt=report.number, outcome=report.outcome)
        if not again:
            break
        await on_retry(report)
        if await _stopped_while_waiting(policy.retry.backoff, cell):
            break  # the last attempt has its word: a stop never hides a failure
    build, test, review = attempt.results(cause)
    return SubtaskReport(
        subtask_id=order.subtask_id,
        outcome=report.outcome,
        cause=cause,
        mode=order.mode,
        started_at=attempts[0].started_at,
        completed_at=clock.now(),
        attempts=tuple(attempts),
        waived=policy.allow_failure and report.outcome in RETRYABLE | {Outcome.REJECTED},
        build=build,
        test=test,
        review=review,
        error=attempt.error,
    )


async def _run_attempt(
    attempt: _Attempt, *, clock: RunClock, cell: StopCell, timeout: timedelta | None
) -> tuple[AttemptReport, StopCause | None]:
    """The attempt's word: of the stop that was recorded before its end was observed, else of what its stages answered."""
    started_at, origin = clock.now(), clock.monotonic()
    seconds = None if timeout is None else timeout.total_seconds()
    with anyio.CancelScope() as scope, anyio.move_on_after(seconds) as deadline:
        cell.enter(scope, deadline)
        await attempt.run()
    cell.leave()
    cause = cell.cause if scope.cancel_called else None
    if cause is None and deadline.cancel_called:
        cause = StopCause(StopKind.TIMEOUT, f"{seconds:g} s")
    if cause is None and attempt.outcome is None:
        raise anyio.get_cancelled_exc_class()()  # ended from outside our scopes: only when the whole host goes down
    outcome = cause.outcome if cause is not None else attempt.outcome or Outcome.CRASHED
    report = AttemptReport(
        number=attempt.number,
        outcome=outcome,
        started_at=started_at,
        completed_at=clock.now(),
        elapsed=timedelta(seconds=clock.monotonic() - origin),
    )
    return report, cause


async def _stopped_while_waiting(backoff: timedelta, cell: StopCell) -> bool:
    with anyio.CancelScope() as scope:
        cell.enter(scope)
        await anyio.sleep(backoff.total_seconds())
    cell.leave()
    return scope.cancel_called
