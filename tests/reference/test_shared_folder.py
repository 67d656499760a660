"""Both programs can work in one folder, in turns, and each goes on where the other stopped."""

from tests.reference.our_runs import Workspace
from tests.reference.published import Published


def test_it_runs_in_a_folder_of_ours_and_we_continue_its_history(published: Published, workspace: Workspace) -> None:
    ours = workspace.run("succeeded")
    theirs = published.start(workspace.root, "succeeded")["run_id"]
    again = workspace.run("failed")
    assert [entry["run_id"] for entry in workspace.history()] == [ours, theirs, again]
    rollup = workspace.rollups()["metrics/post-rollout"]
    assert (rollup["total_runs"], rollup["succeeded_runs"]) == (3, 2)


def test_we_run_in_a_folder_of_its_own_and_it_continues_our_history(published: Published, workspace: Workspace) -> None:
    theirs = published.start(workspace.root, "succeeded")["run_id"]
    ours = workspace.run("failed")
    again = published.start(workspace.root, "succeeded")["run_id"]
    assert [entry["run_id"] for entry in workspace.history()] == [theirs, ours, again]
    rollup = workspace.rollups()["metrics/post-rollout"]
    assert (rollup["total_runs"], rollup["succeeded_runs"]) == (3, 2)


def test_what_it_wrote_of_its_runs_is_left_as_it_was(published: Published, workspace: Workspace) -> None:
    theirs = str(published.start(workspace.root, "succeeded")["run_id"])
    line, manifest = workspace.history()[0], workspace.manifest(theirs)
    workspace.run("failed")
    assert (workspace.history()[0], workspace.manifest(theirs)) == (line, manifest)
