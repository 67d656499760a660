"""One attempt at a subtask: build, test, review, and what each of them answered."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from anyio.lowlevel import checkpoint_if_cancelled

from orchestrator_py.actors.agents import Agents, SubtaskOrder
from orchestrator_py.actors.outlast import forget_cancellations_beyond, is_being_cancelled
from orchestrator_py.core import fixed_texts
from orchestrator_py.core.answers import Results, accept_build, accept_review, accept_test, complete_results, owned_result
from orchestrator_py.lean import define, field, maker
from orchestrator_py.model.approval import Approval
from orchestrator_py.model.execution import Loss
from orchestrator_py.model.outcome import Outcome, StopCause
from orchestrator_py.model.result import BuildInput, BuildResult, ReviewInput, ReviewResult, TestInput, TestResult

_log = logging.getLogger("orchestrator_py")

_make_build_input, _make_test_input, _make_review_input = maker(BuildInput), maker(TestInput), maker(ReviewInput)


@define
class Attempt:
    """`outcome` is None until every stage that had to run has answered; `error` is what an agent raised.

    `is_ended` tells whether the attempt is being cancelled: then no further stage begins. `task` is the one that it runs in.
    """

    order: SubtaskOrder
    agents: Agents
    number: int
    is_ended: Callable[[], bool]
    _task: "asyncio.Task[object]"
    build: BuildResult | None = field(default=None, init=False)
    test: TestResult | None = field(default=None, init=False)
    review: ReviewResult | None = field(default=None, init=False)
    error: BaseException | None = field(default=None, init=False)
    outcome: Outcome | None = field(default=None, init=False)

    async def run(self) -> None:
        """The first stage that is not `succeeded` decides. None begins after the attempt was cancelled.

        One coroutine for all of them: to give each its own would cost a subtask that does nothing a fiftieth more.
        """
        outcome, cancellations = Outcome.SUCCEEDED, self._task.cancelling()
        for ask, accept in _STAGES:
            if self.is_ended():
                await checkpoint_if_cancelled()
            try:
                answer = await ask(self)
            except asyncio.CancelledError:
                if is_being_cancelled():
                    raise
                answer = self.error = RuntimeError(fixed_texts.CANCELLED_ITSELF)
            except GeneratorExit:  # nobody runs us any more
                raise
            except BaseException as error:  # agents may raise anything
                answer = self.error = error
            if self._task.cancelling() > cancellations and not self.is_ended():  # it would reach the next agent
                await forget_cancellations_beyond(cancellations)
            outcome = accept(self, answer)
            if outcome is not Outcome.SUCCEEDED:
                break
        if self.error is not None:
            _log.debug("an agent of subtask %s raised", self.order.item.id, exc_info=self.error)
        self.outcome = outcome

    def fail(self, error: Exception) -> None:
        """An agent has done harm that only shows afterwards: none of the answers counts."""
        order, self.error = self.order, error
        self.build, self.outcome = accept_build(error, subtask_id=order.item.id, mode=order.mode, run_id=order.run_id)
        self.test = self.review = None

    @property
    def loss(self) -> Loss | None:
        """Why nobody saw the end of the last command that was begun."""
        answer = self.review or self.test or self.build
        return None if answer is None or answer.execution is None else answer.execution.loss

    @property
    def approvals(self) -> tuple[Approval, ...]:
        """What the commands that were begun have let pass."""
        ended = [one.execution for one in (self.build, self.test, self.review) if one is not None and one.execution is not None]
        return tuple([approval for execution in ended for approval in execution.approvals])

    def results(self, cause: StopCause | None) -> Results:
        """All three results, of the stages that did not answer as well."""
        if self.outcome is Outcome.SUCCEEDED and cause is None and self.build and self.test and self.review:
            return self.build, self.test, self.review
        order = self.order
        return complete_results(
            self.build, self.test, self.review, subtask_id=order.item.id, mode=order.mode, run_id=order.run_id, cause=cause
        )

    # Stages: what each is asked, and what becomes of its answer ----------------------------------------------------

    def _ask_builder(self) -> Awaitable[object]:
        order = self.order
        given = _make_build_input(
            task=order.task, plan=order.plan, target=order.item, mode=order.mode, run_id=order.run_id, attempt=self.number
        )
        return self.agents.builder.build(given)

    def _accept_build(self, answer: object) -> Outcome:
        order = self.order
        self.build, outcome = accept_build(answer, subtask_id=order.item.id, mode=order.mode, run_id=order.run_id)
        return outcome

    def _ask_tester(self) -> Awaitable[object]:
        order, build = self.order, self.build
        assert build is not None
        given = _make_test_input(
            task=order.task, build=owned_result(build), target=order.item, mode=order.mode, run_id=order.run_id, attempt=self.number
        )
        return self.agents.tester.test(given)

    def _accept_test(self, answer: object) -> Outcome:
        assert self.build is not None
        self.test, outcome = accept_test(answer, subtask_id=self.build.subtask_id, run_id=self.order.run_id)
        return outcome

    def _ask_reviewer(self) -> Awaitable[object]:
        order, build, test = self.order, self.build, self.test
        assert build is not None
        assert test is not None
        given = _make_review_input(
            task=order.task,
            plan=order.plan,
            build=owned_result(build),
            test=owned_result(test),
            target=order.item,
            mode=order.mode,
            run_id=order.run_id,
            attempt=self.number,
        )
        return self.agents.reviewer.review(given)

    def _accept_review(self, answer: object) -> Outcome:
        self.review, outcome = accept_review(answer)
        return outcome


_STAGES: tuple[tuple[Callable[[Attempt], Awaitable[object]], Callable[[Attempt, object], Outcome]], ...] = (
    (Attempt._ask_builder, Attempt._accept_build),
    (Attempt._ask_tester, Attempt._accept_test),
    (Attempt._ask_reviewer, Attempt._accept_review),
)
