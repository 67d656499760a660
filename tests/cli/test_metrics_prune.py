"""`metrics prune`: the folders of old runs go, what they came to stays."""

import shutil
from pathlib import Path

from tests.cli.running import Fifo, as_list, command, configure_stages, entries, finish, run, snapshot, start


def run_ids(root: Path) -> list[str]:
    return [str(entry["run_id"]) for entry in entries(root)]


def folders(root: Path) -> list[str]:
    """The runs of which anything is left."""
    runs = root / ".runs"
    places = [path for folder in (runs / "0101" / "cli", runs / "0101" / "mcp", runs / "local-mcp") for path in folder.iterdir()]
    embedded = [path for path in (runs / "0101").iterdir() if path.name.startswith("2")]
    return sorted({path.name for path in (*places, *embedded)})


def test_finished_runs_go_oldest_first_and_their_totals_stay(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "true"))
    for _ in range(3):
        assert run(tmp_path, "run").code == 0
    ids = run_ids(tmp_path)
    before = snapshot(tmp_path)
    dry = run(tmp_path, "metrics", "prune", "--keep", "1", "--dry-run")
    assert dry.stdout.splitlines() == [
        "0101: 2 runs would be removed, 1 left",
        f"  would be removed: {ids[0]}",
        f"  would be removed: {ids[1]}",
    ]
    assert snapshot(tmp_path) == before
    done = run(tmp_path, "metrics", "prune", "--keep", "1")
    assert (done.code, done.stdout) == (0, dry.stdout.replace("would be removed", "removed"))
    assert folders(tmp_path) == [ids[2]]
    assert run_ids(tmp_path) == ids
    assert run(tmp_path, "metrics", "verify").stdout == "0101: equal\n"
    shown = run(tmp_path, "metrics", "show").stdout
    assert "0101: 3 runs, 3 succeeded" in shown
    assert "  2 runs pruned" in shown


def test_what_cannot_be_removed_is_told_with_74_and_the_rest_goes(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "true"))
    for _ in range(3):
        assert run(tmp_path, "run").code == 0
    ids = run_ids(tmp_path)
    strange = tmp_path / ".runs" / "0101" / "mcp" / ids[1]
    shutil.rmtree(strange)
    strange.write_text("")
    done = run(tmp_path, "metrics", "prune", "--keep", "1")
    assert (done.code, done.stdout) == (74, f"0101: 1 run removed, 2 left\n  removed: {ids[0]}\n")
    assert done.stderr.endswith(f"{strange}: is a file where a folder belongs; move it away.\n")
    assert "  1 run pruned" in run(tmp_path, "metrics", "show").stdout
    told = run(tmp_path, "metrics", "prune", "--keep", "1", "--format", "json")
    (task,) = as_list(told.document()["tasks"])
    assert (told.code, task["removed"], task["left"], len(as_list(task["stuck"]))) == (74, [], 2, 1)


def test_age_counts_from_the_end_of_a_run(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "true"))
    assert run(tmp_path, "run").code == 0
    kept = run(tmp_path, "metrics", "prune", "--older-than", "30", "--format", "json")
    assert as_list(kept.document()["tasks"])[0]["removed"] == []
    gone = run(tmp_path, "metrics", "prune", "--older-than", "0", "--format", "json")
    (task,) = as_list(gone.document()["tasks"])
    assert task == {"task": "0101", "dry_run": False, "removed": run_ids(tmp_path), "left": 0, "kept": [], "stuck": []}
    assert folders(tmp_path) == []


def test_a_run_that_goes_on_is_kept_and_ends_well(tmp_path: Path) -> None:
    fifo = Fifo(tmp_path / "fifo")
    configure_stages(tmp_path, command("a", "echo started > fifo; read word < go"))
    go = Fifo(tmp_path / "go")
    process = start(tmp_path, "run")
    fifo.wait_for("started")
    done = run(tmp_path, "metrics", "prune", "--keep", "0")
    assert "0 runs removed, 0 left" in done.stdout
    assert "the run is kept" in done.stdout
    go.path.write_text("on\n")
    assert finish(process).code == 0
    assert folders(tmp_path) == run_ids(tmp_path)
    assert run(tmp_path, "metrics", "verify").stdout == "0101: equal\n"
