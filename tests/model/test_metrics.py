"""The metrics entry as a value."""

import json
from pathlib import Path

from orchestrator_py.core.codec.contract import to_json
from orchestrator_py.ids import RunId, TaskId
from orchestrator_py.model.metrics import MetricsEntry
from orchestrator_py.model.timestamp import Timestamp

_RECORDED = Path(__file__).parent.parent / "fixtures" / "metrics-line.json"


def test_an_entry_without_any_feature_has_the_contracts_keys_and_defaults_in_their_order() -> None:
    recorded = json.loads(_RECORDED.read_bytes())["cases"][0]["expected"]["entry"]
    entry = MetricsEntry(
        run_id=RunId("2025-12-21T14-02-47-637Z-9f7c2ccb"),
        task_id=TaskId("t1"),
        pipeline_id="demo",
        status="succeeded",
        started_at=Timestamp("2025-12-21T14:02:47.637Z"),
        completed_at=Timestamp("2025-12-21T14:03:00.000Z"),
        duration_seconds=12.363,
        commands_passed=1,
        commands_failed=1,
        guardrails_present=True,
        recorded_at=Timestamp("<recorded_at>"),
        artifact_path=".runs/t1/cli/2025-12-21T14-02-47-637Z-9f7c2ccb",
    )
    assert json.dumps(to_json(entry)) == json.dumps(recorded)
