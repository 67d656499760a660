"""The reference's own configuration file loads here and is planned as the reference plans it."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.reference.our_runs import Workspace
from tests.reference.published import Published

STAGE_KEYS = ("index", "id", "title", "kind", "command")
ITEM_KEYS = ("id", "description", "requires_cloud", "requiresCloud", "runnable", "selected")
NEWER_METADATA = {"selectedMemoryRefs"}


def test_every_pipeline_of_the_published_configuration_is_planned_alike(published: Published, tmp_path: Path) -> None:
    shutil.copy(published.package / "codex.orchestrator.json", tmp_path)
    pipelines = [str(pipeline["id"]) for pipeline in _objects(published.document("codex.orchestrator.json"), "pipelines")]
    with ThreadPoolExecutor(2) as pool:
        theirs = list(pool.map(lambda pipeline: published.plan(tmp_path, pipeline), pipelines))
        ours = list(pool.map(Workspace(tmp_path).plan, pipelines))
    assert len(pipelines) > 10
    assert [_essence(plan) for plan in ours] == [_essence(plan) for plan in theirs]


def _essence(data: dict[str, object]) -> dict[str, object]:
    plan, pipeline = data["plan"], data["pipeline"]
    assert isinstance(plan, dict)
    assert isinstance(pipeline, dict)
    return {
        "pipeline": {key: pipeline[key] for key in ("id", "title", "description")},
        "stages": [{key: stage.get(key) for key in STAGE_KEYS} for stage in _objects(data, "stages")],
        "items": [{key: item.get(key) for key in ITEM_KEYS} | {"metadata": _metadata(item)} for item in _objects(plan, "items")],
        "notes": plan.get("notes"),
        "target": (plan["targetId"], data["targetId"]),
    }


def _metadata(item: dict[str, object]) -> dict[str, object]:
    metadata = item["metadata"]
    assert isinstance(metadata, dict)
    return {key: value for key, value in metadata.items() if key not in NEWER_METADATA}


def _objects(data: dict[str, object], key: str) -> list[dict[str, object]]:
    value = data[key]
    assert isinstance(value, list)
    return value
