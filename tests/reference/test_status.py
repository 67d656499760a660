"""The reference's `status` command reads our runs and says of them what we say."""

import pytest

from tests.reference.our_runs import KINDS, Workspace
from tests.reference.published import Published

READ_ALIKE = ("run_id", "status", "status_detail", "started_at", "completed_at", "artifact_root", "log_path", "commands", "child_runs")


@pytest.mark.parametrize(("kind", "status"), [*KINDS.items(), ("group", "succeeded"), ("cancelled", "cancelled")])
def test_a_finished_run_is_read_as_it_ended(
    published: Published, finished: tuple[Workspace, dict[str, str]], kind: str, status: str
) -> None:
    workspace, runs = finished
    told, manifest = published.status(workspace.root, runs[kind]), workspace.manifest(runs[kind])
    assert told["status"] == status
    assert {key: told[key] for key in READ_ALIKE} == {key: manifest[key] for key in READ_ALIKE}


def test_a_run_in_progress_is_read_as_in_progress_with_its_running_stage(published: Published, workspace: Workspace) -> None:
    with workspace.held_run() as (run_id, _):
        told = published.status(workspace.root, run_id)
    assert (told["status"], told["completed_at"]) == ("in_progress", None)
    commands = told["commands"]
    assert isinstance(commands, list)
    assert [command["status"] for command in commands] == ["running", "pending"]
