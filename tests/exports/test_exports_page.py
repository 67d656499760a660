"""The page about exports tells what is exported."""

import re

import pytest

from orchestrator_py.cli.exit_codes import code_of_outcome
from orchestrator_py.core.outcome import run_status
from orchestrator_py.exports.cicd_words import RESULTS, error_type
from orchestrator_py.exports.history_counts import OUTCOMES
from orchestrator_py.exports.metric_families import PREFIX, Collector
from orchestrator_py.exports.task_figures import ENDINGS, MOST_TASKS, Figures
from orchestrator_py.model.outcome import Outcome
from tests.cli.running import PROJECT

PAGE = (PROJECT / "docs" / "exports.md").read_text()
ROWS = {row[0]: row[1:] for line in PAGE.splitlines() if line.startswith("| `") for row in [re.split(r" *\| *", line.strip("| "))]}


@pytest.mark.parametrize("outcome", Outcome)
def test_the_table_has_the_words_of_each_outcome(outcome: Outcome) -> None:
    counted, last, result, kind, code = (cell.strip("`") for cell in ROWS[f"`{outcome.value}`"])
    assert counted == run_status(outcome).value
    assert counted in OUTCOMES
    assert last == {"skipped": "nothing_ran"}.get(outcome.value, outcome.value)
    assert last in ENDINGS
    assert (result, kind) == (RESULTS[outcome], error_type(outcome) or "")
    assert int(code.partition(",")[0]) == code_of_outcome(outcome)


def test_the_table_has_every_family_and_no_other() -> None:
    told = {name for cell, cells in ROWS.items() if cells[0] in ("counter", "gauge", "histogram") for name in re.findall("`(.+?)`", cell)}
    families = {
        family.name.removeprefix(PREFIX) + "_total" * (family.type == "counter") for family in Collector(Figures(tasks=())).collect()
    }
    assert told == families
    assert f"{MOST_TASKS:,}" in PAGE
