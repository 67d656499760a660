"""What an agent answered is taken over as it is, but for what the manager knows better."""

from orchestrator_py.core.answers import accept_build, accept_test
from orchestrator_py.ids import RunId
from orchestrator_py.lean import evolve, fields
from orchestrator_py.model.execution import Execution
from orchestrator_py.model.outcome import Outcome
from orchestrator_py.model.result import BuildArtifact, BuildResult, TestReport, TestResult
from orchestrator_py.model.task import Mode

RUN = RunId("run")


def test_a_build_keeps_every_field_but_mode_and_run() -> None:
    answer = BuildResult(
        subtask_id="s",
        artifacts=[BuildArtifact(path="a.txt")],
        mode=Mode.MCP,
        run_id=RunId("other"),
        success=True,
        notes="done",
        extra={"more": [1]},
        execution=Execution(exit_code=0),
    )
    taken, word = accept_build(answer, subtask_id="s", mode=Mode.CLOUD, run_id=RUN)
    assert word is Outcome.SUCCEEDED
    assert taken == evolve(answer, mode=Mode.CLOUD, run_id=RUN)
    assert all(getattr(answer, one.name) != one.default for one in fields(BuildResult) if one.name != "mode")


def test_a_test_keeps_every_field_but_the_run() -> None:
    answer = TestResult(
        subtask_id="s",
        success=True,
        reports=[TestReport(name="unit", status="passed")],
        run_id=RunId("other"),
        extra={"more": [1]},
        execution=Execution(exit_code=0),
    )
    taken, word = accept_test(answer, subtask_id="s", run_id=RUN)
    assert word is Outcome.SUCCEEDED
    assert taken == evolve(answer, run_id=RUN)
    assert all(getattr(answer, one.name) != one.default for one in fields(TestResult))
