"""From a pipeline to what a run asks of the scheduler: which capabilities, how many instances, the figures of a group."""

import math
import re
from collections.abc import Mapping

from orchestrator_py.errors import ConfigurationError
from orchestrator_py.ids import RunId
from orchestrator_py.model.pipeline import Pipeline
from orchestrator_py.model.run_request import FanOut, GroupSettings, RunRequest, RunSchedule
from orchestrator_py.model.task import TaskContext
from orchestrator_py.model.timestamp import Timestamp

_WHOLE_NUMBER = r"\s*([+-]?[0-9]{1,18})"
_NUMBER = r"\s*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
_YES = frozenset({"1", "true", "yes", "on"})
_DEFAULT_GROUP_SIZE = 2


def create_run_request(
    pipeline: Pipeline,
    *,
    run_id: RunId,
    task: TaskContext,
    environment: Mapping[str, str],
    requested_at: Timestamp,
    artifact_root: str,
    runs_root: str,
    out_root: str,
    manifest_group_size: float | None = None,
) -> RunRequest:
    """The request of one run. `manifest_group_size` is what a resumed run was started with; the environment wins.

    ConfigurationError if a group is asked for that is too small, or larger than the capabilities have slots.
    """
    group_size = _group_size(environment, manifest_group_size)
    return RunRequest(
        request_id=run_id,
        task=task,
        pipeline=pipeline,
        schedule=create_schedule(pipeline, group_size),
        requested_at=requested_at,
        artifact_root=artifact_root,
        runs_root=runs_root,
        out_root=out_root,
        group=_group_settings(environment, group_size),
    )


def is_enabled(environment: Mapping[str, str], name: str) -> bool:
    """Whether a switch is on: `1`, `true`, `yes`, `on`, whatever the case; any other text, or none, is off."""
    return environment.get(name, "").strip().lower() in _YES


def create_schedule(pipeline: Pipeline, group_size: float | None = None) -> RunSchedule:
    """One instance at least and one per capability at most; a group has exactly its size.

    ConfigurationError if that is too small, or more than the capabilities have slots.
    """
    fan_out = tuple(FanOut(capability=name, max_concurrency=2 if name == "general" else 1) for name in pipeline.capabilities)
    if group_size is None:
        return RunSchedule(min_instances=1, max_instances=len(fan_out), fan_out=fan_out)
    if group_size < 2:
        raise ConfigurationError("TF-GRPO groupSize guardrail violated (expected ≥ 2).")
    if group_size > sum(entry.slots for entry in fan_out):
        raise ConfigurationError("TF-GRPO groupSize exceeds available scheduling capacity.")
    return RunSchedule(min_instances=int(group_size), max_instances=int(group_size), fan_out=fan_out)


def _group_size(environment: Mapping[str, str], of_manifest: float | None) -> float | None:
    if (size := _count(environment, "TFGRPO_GROUP_SIZE")) is not None:
        return size
    if of_manifest is not None and math.isfinite(of_manifest) and of_manifest > 0:
        return of_manifest
    return _DEFAULT_GROUP_SIZE if is_enabled(environment, "FEATURE_TFGRPO_GROUP") else None


def _group_settings(environment: Mapping[str, str], group_size: float | None) -> GroupSettings | None:
    """The figures that are set, defaults in place of the others; None if none is set and there is no group."""
    sample_size, epochs = _count(environment, "TFGRPO_SAMPLE_SIZE"), _count(environment, "TFGRPO_EPOCHS")
    train, evaluation = _figure(environment, "TFGRPO_TRAIN_TEMP"), _figure(environment, "TFGRPO_EVAL_TEMP")
    if all(figure is None for figure in (group_size, sample_size, epochs, train, evaluation)):
        return None
    usual = GroupSettings()
    return GroupSettings(
        sample_size=sample_size or usual.sample_size,
        epochs=epochs or usual.epochs,
        train_temperature=usual.train_temperature if train is None else train,
        eval_temperature=usual.eval_temperature if evaluation is None else evaluation,
        group_size=group_size,
    )


def _count(environment: Mapping[str, str], name: str) -> int | None:
    """The whole number that the text begins with, if it is more than 0; what follows it is not looked at."""
    match = _beginning(_WHOLE_NUMBER, environment.get(name))
    return number if match and (number := int(match[1])) > 0 else None


def _figure(environment: Mapping[str, str], name: str) -> float | None:
    """The number that the text begins with."""
    match = _beginning(_NUMBER, environment.get(name))
    return number if match and math.isfinite(number := float(match[1])) else None


def _beginning(pattern: str, text: str | None) -> "re.Match[str] | None":
    return re.match(pattern, text) if text else None
