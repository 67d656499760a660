"""The published schema of a manifest accepts every manifest that we write."""

from jsonschema import Draft7Validator

from tests.reference.our_runs import Workspace
from tests.reference.published import Published


def _refusals(published: Published, manifest: dict[str, object]) -> list[str]:
    validator = Draft7Validator(published.document("schemas/manifest.json"))
    return [f"{manifest['pipeline_id']} {error.json_path}: {error.message}" for error in validator.iter_errors(manifest)]


def test_manifests_of_every_kind_of_end_are_accepted_those_of_child_runs_too(
    published: Published, finished: tuple[Workspace, dict[str, str]]
) -> None:
    workspace, runs = finished
    assert set(runs.values()) < set(workspace.run_ids())
    assert [refusal for run_id in workspace.run_ids() for refusal in _refusals(published, workspace.manifest(run_id))] == []


def test_guardrails_and_approvals_are_among_what_is_accepted(published: Published, finished: tuple[Workspace, dict[str, str]]) -> None:
    workspace, runs = finished
    manifest = workspace.manifest(runs["guarded"])
    assert str(manifest["summary"]).endswith("Guardrails: lint succeeded (1 passed).")
    assert manifest["approvals"] == [{"actor": "diff-budget", "timestamp": "2026-01-02T03:04:05.006Z", "reason": "moved"}]
    assert _refusals(published, manifest) == []


def test_the_manifest_of_a_run_in_progress_is_accepted(published: Published, workspace: Workspace) -> None:
    with workspace.held_run() as (run_id, _):
        manifest = workspace.manifest(run_id)
    assert manifest["status"] == "in_progress"
    assert _refusals(published, manifest) == []


def test_the_manifests_of_a_lost_run_and_of_a_resumed_one_are_accepted(published: Published, workspace: Workspace) -> None:
    lost, resumed = workspace.manifest(workspace.lost_run()), workspace.manifest(workspace.resumed_run())
    assert (lost["status_detail"], lost["completed_at"]) == ("owner-lost", None)
    assert resumed["resume_events"]
    assert _refusals(published, lost) + _refusals(published, resumed) == []


def test_the_schema_would_refuse_a_manifest_with_a_foreign_key(published: Published, finished: tuple[Workspace, dict[str, str]]) -> None:
    workspace, runs = finished
    assert _refusals(published, workspace.manifest(runs["succeeded"]) | {"foreign": 1}) != []
