"""Guardrail status and the line that it leaves in a run's summary."""

from typing import Any

import pytest
from attrs import asdict
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.core.guardrails import guardrail_name, guardrail_status, with_guardrail_line
from orchestrator_py.core.json_text import compact_json
from orchestrator_py.model.timestamp import Timestamp
from tests.core.recorded import recorded_cases

NOW = Timestamp("<computed_at>")
CASES = recorded_cases("guardrails")


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_status_and_summary_are_those_on_record(case: dict[str, Any]) -> None:
    commands = [(guardrail_name(command["id"], command["command"]), command["status"]) for command in case["input"]["commands"]]
    status = guardrail_status(commands, case["input"]["guardrails_required"], NOW)
    assert asdict(status) == case["expected"]["guardrail_status"]
    assert compact_json(asdict(status)) == compact_json(case["expected"]["guardrail_status"])
    assert with_guardrail_line(case["input"]["summary"], status) == case["expected"]["summary_after"]


def test_a_missing_guardrail_that_is_not_required_is_no_recommendation() -> None:
    status = guardrail_status([(guardrail_name("test", "npm test"), "succeeded")], False, NOW)
    assert (status.present, status.recommendation) == (False, None)
    assert status.summary == "Guardrails: spec-guard command not found."


def test_a_sub_pipeline_without_a_command_is_no_guardrail() -> None:
    assert guardrail_name("spec-guard", None, marked=True) is None
    assert guardrail_status([(None, "succeeded")], True, NOW).counts.total == 0


@pytest.mark.parametrize(
    ("stage_id", "command", "name"),
    [
        ("check", "node scripts/spec-guard.mjs", "spec-guard"),
        ("check", "node scripts/Spec-Guard.mjs", None),
        ("spec-guard", "make specs", "spec-guard"),
        ("docs", "orchestrator-py guard docs", "docs"),
        ("docs", '"$CODEX_ORCHESTRATOR_PYTHON" -m orchestrator_py  guard docs', "docs"),
        ("ask", "orchestrator-py review --base main", "ask"),
        ("again", "orchestrator-py run guard", None),
        ("again", "orchestrator-py guardian", None),
        ("lint", "make lint", None),
        ("diff-budget", "make size", None),
    ],
)
def test_a_guardrail_is_known_by_its_command_or_by_its_id(stage_id: str, command: str, name: str | None) -> None:
    assert guardrail_name(stage_id, command) == name
    assert guardrail_name(stage_id, command, marked=True) == (name or stage_id)


def test_the_summary_names_what_was_counted() -> None:
    found = [("spec-guard", "succeeded"), ("lint", "failed"), ("spec-guard", "succeeded"), (None, "failed")]
    assert guardrail_status(found, True, NOW).summary == "Guardrails: spec-guard, lint failed (1/3 failed)."
    many = [(f"g{number}", "succeeded") for number in range(9)]
    assert guardrail_status(many, True, NOW).summary == "Guardrails: g0, g1, g2, g3, g4, g5, g6 and 2 more succeeded (9 passed)."


def test_a_partial_status_names_passed_skipped_and_pending() -> None:
    status = guardrail_status([("spec-guard", status) for status in ("succeeded", "skipped", "pending", "running")], True, NOW)
    assert status.summary == "Guardrails: spec-guard partial (1 passed, 1 skipped, 2 pending of 4)."


def test_a_recommendation_that_holds_no_more_leaves_the_summary() -> None:
    failed = guardrail_status([("spec-guard", "failed")], True, NOW)
    succeeded = guardrail_status([("spec-guard", "succeeded")], True, NOW)
    assert with_guardrail_line(with_guardrail_line("Resumed.", failed), succeeded) == f"Resumed.\n{succeeded.summary}"


def _named(commands: list[tuple[str | None, str]]) -> list[tuple[str | None, str]]:
    return [(guardrail_name("x", command), status) for command, status in commands]


_statuses = st.sampled_from(["pending", "running", "succeeded", "failed", "skipped"])
_commands = st.lists(st.tuples(st.sampled_from([None, "make test", "node spec-guard.mjs"]), _statuses))


@given(_commands, st.sampled_from([True, False, None]), st.none() | st.text())
def test_the_guardrail_line_is_the_last_and_adding_it_again_changes_nothing(
    commands: list[tuple[str | None, str]], required: bool | None, summary: str | None
) -> None:
    status = guardrail_status(_named(commands), required, NOW)
    once = with_guardrail_line(summary, status)
    assert once.split("\n")[-1] == status.summary
    assert with_guardrail_line(once, status) == once


@given(_commands)
def test_every_guardrail_command_is_counted_once(commands: list[tuple[str | None, str]]) -> None:
    counts = guardrail_status(_named(commands), True, NOW).counts
    assert counts.total == sum("spec-guard" in (command or "") for command, _ in commands)
    assert counts.succeeded + counts.failed + counts.skipped + counts.other == counts.total
