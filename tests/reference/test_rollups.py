"""The reference's own aggregation over our history makes the rollups that we wrote."""

import json
import shutil
from pathlib import Path

from tests.reference.our_runs import TASK, Workspace
from tests.reference.published import Published

RECORDED = Path(__file__).parent.parent / "fixtures" / "metrics-rollups.json"


def _aggregated_by_the_reference(published: Published, ours: Workspace, root: Path) -> dict[str, dict[str, object]]:
    """Twice: its first call may compute the repair time before there is a baseline to compare with."""
    theirs = Workspace.create(root)
    theirs.task.mkdir(parents=True)
    shutil.copy(ours.task / "metrics.json", theirs.task / "metrics.json")
    for _ in range(2):
        published.aggregate(theirs.root, TASK)
    return theirs.rollups()


def test_runs_of_every_kind_give_the_same_rollups(published: Published, finished: tuple[Workspace, dict[str, str]], tmp_path: Path) -> None:
    ours, runs = finished
    written = ours.rollups()
    assert written == _aggregated_by_the_reference(published, ours, tmp_path / "theirs")
    assert written["metrics/post-rollout"]["total_runs"] == len(ours.run_ids()) > len(runs)


def test_a_long_history_with_epochs_and_tools_that_our_run_continues_gives_the_same_rollups(
    published: Published, workspace: Workspace, tmp_path: Path
) -> None:
    workspace.task.mkdir(parents=True)
    (workspace.task / "metrics.json").write_text("".join(_recorded_lines()))
    workspace.run("succeeded")
    written = workspace.rollups()
    assert written == _aggregated_by_the_reference(published, workspace, tmp_path / "theirs")
    assert {"metrics/per-epoch", "out/state", "out/metrics/mttr-delta"} <= set(written)


def _recorded_lines() -> list[str]:
    """Every recorded line that both read as an entry, each as a run of its own."""
    lines = []
    for number, case in enumerate(json.loads(RECORDED.read_text())["cases"]):
        for place, line in enumerate((case["input"]["metrics_json"] or "").split("\n")):
            entry = _entry(line)
            if entry is not None:
                lines.append(json.dumps(entry | {"run_id": f"recorded-{number}-{place}"}) + "\n")
    assert len(lines) > 50
    return lines


def _entry(line: str) -> dict[str, object] | None:
    try:
        data = json.loads(line)
    except ValueError:
        return None
    said = isinstance(data, dict) and all(isinstance(data.get(key), str) and data[key] for key in ("run_id", "status", "recorded_at"))
    return data if said else None
