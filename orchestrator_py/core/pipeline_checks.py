"""What is wrong with pipelines although each of their parts is well written: names used twice, names of nothing, circles."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from orchestrator_py.core.codec.problems import Problem
from orchestrator_py.core.needs import find_circles, find_unknown
from orchestrator_py.core.suggestion import suggest
from orchestrator_py.lean import frozen
from orchestrator_py.model.pipeline import Stage, SubpipelineStage


@frozen(kw_only=True)
class PlacedStage:
    """A stage and where it was written, in its pipeline or in a stage set. `stage` is None, `id` perhaps, if it cannot be read."""

    place: str
    id: str | None
    stage: Stage | None

    @property
    def needs(self) -> tuple[str, ...]:
        return self.stage.policy.needs if self.stage else ()

    @property
    def resources(self) -> tuple[str, ...]:
        return self.stage.policy.resources if self.stage else ()


@frozen(kw_only=True)
class PipelineDraft:
    """A pipeline with its stage sets put in; `complete` unless a stage or a set could not be read.

    `resources` are the names that it gives a number of units, None if that cannot be read.
    """

    place: str
    id: str | None
    stages: tuple[PlacedStage, ...]
    complete: bool
    resources: tuple[str, ...] | None = ()


def check_pipelines(drafts: Sequence[PipelineDraft], default_pipeline: str | None) -> Iterator[Problem]:
    """Every problem that shows only when the parts are seen together."""
    for draft in drafts:
        yield from _check_names([(stage.id, stage.place) for stage in draft.stages], f"stage of pipeline {draft.id!r}")
        yield from _check_needs(draft)
        yield from _check_resources(draft)
    yield from _check_names([(draft.id, draft.place) for draft in drafts], "pipeline")
    yield from _check_subpipelines(drafts)
    known = [draft.id for draft in drafts if draft.id is not None]
    if default_pipeline is not None and default_pipeline not in known:
        yield Problem("$.defaultPipeline", f"no pipeline has the id {default_pipeline!r}{suggest(default_pipeline, known)}")


def _check_names(named: Iterable[tuple[str | None, str]], what: str) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for name, place in named:
        if name is None:
            continue
        if name in first:
            yield Problem(f"{place}.id", f"the id {name!r} belongs to another {what}, at {first[name]}; give each its own")
        else:
            first[name] = place


def _check_needs(draft: PipelineDraft) -> Iterator[Problem]:
    places = {stage.id: stage.place for stage in reversed(draft.stages) if stage.id is not None}
    needs = {stage.id: stage.needs for stage in draft.stages if stage.id is not None}
    if draft.complete:
        for name, need in find_unknown(needs):
            yield Problem(f"{places[name]}.needs", f"pipeline {draft.id!r} has no stage {need!r}{suggest(need, needs)}")
    for circle in find_circles(needs):
        yield Problem(f"{places[circle[0]]}.needs", f"in pipeline {draft.id!r}, {_walk(circle, 'needs')}; none of them could ever start")


def _check_resources(draft: PipelineDraft) -> Iterator[Problem]:
    known = draft.resources
    if known is None:
        return
    for placed in draft.stages:
        for name in placed.resources:
            if name not in known:
                remedy = suggest(name, known) or f'; add it to the pipeline: "resources": {{{json.dumps(name)}: 1}}'
                yield Problem(f"{placed.place}.resources", f"pipeline {draft.id!r} has no resource {name!r}{remedy}")


def _check_subpipelines(drafts: Sequence[PipelineDraft]) -> Iterator[Problem]:
    runs = {draft.id: [wanted for _, wanted in _subpipelines(draft)] for draft in drafts if draft.id is not None}
    places = {draft.id: draft.place for draft in reversed(drafts) if draft.id is not None}
    for place, wanted in chain.from_iterable(map(_subpipelines, drafts)):
        if wanted not in runs:
            yield Problem(f"{place}.pipeline", f"no pipeline has the id {wanted!r}{suggest(wanted, runs)}")
    for circle in find_circles(runs):
        yield Problem(f"{places[circle[0]]}.stages", f"{_walk(circle, 'runs')}; it would never end")


def _subpipelines(draft: PipelineDraft) -> Iterator[tuple[str, str]]:
    """Where the pipeline runs another one, and which."""
    return ((placed.place, placed.stage.pipeline) for placed in draft.stages if isinstance(placed.stage, SubpipelineStage))


def _walk(circle: Sequence[str], verb: str) -> str:
    """`'a' needs 'b' needs 'a'`, and `'a' needs itself` for the smallest circle."""
    first, *rest = circle
    return f"{first!r} {verb} itself" if rest == [first] else f" {verb} ".join(map(repr, circle))
