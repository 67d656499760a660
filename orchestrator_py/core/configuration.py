"""The configuration file as a whole: every part is read even if another is bad, so that all problems are told at once."""

from collections.abc import Iterable, Mapping, Sequence

from orchestrator_py.core.codec.configuration import (
    CONVERTER,
    ConfigurationDocument,
    ExecutorDocument,
    PipelineDocument,
    StageSetReference,
)
from orchestrator_py.core.codec.guardrails import read_guardrails
from orchestrator_py.core.codec.pipeline import create_stage, ignored_keys, stage_document_at
from orchestrator_py.core.codec.problems import Problem, show, step
from orchestrator_py.core.codec.strict import decode_at
from orchestrator_py.core.pipeline_checks import PipelineDraft, PlacedStage, check_pipelines
from orchestrator_py.core.suggestion import suggest
from orchestrator_py.errors import ConfigurationError
from orchestrator_py.lean import define, field
from orchestrator_py.model.pipeline import Configuration, ExecutorSettings, Pipeline, Stage

MINIMAL_CONFIGURATION = '{"pipelines": [{"id": "diagnostics", "stages": [{"kind": "command", "id": "test", "command": "npm test"}]}]}'

_DEFAULT_PIPELINE = "diagnostics"
MOST_PROBLEMS = 50
"""Nobody reads more at once, and the same mistake in every stage of a long pipeline would push the first ones off the screen."""


def parse_configuration(data: object, *, source: str) -> Configuration:
    """The configuration that JSON data holds; `source` names the file in messages.

    ConfigurationError names the problems, one a line: the file, the place in it, what was expected there. Beyond MOST_PROBLEMS, how many.
    """
    reading = _Reading()
    document = decode_at(CONVERTER, ConfigurationDocument, data, "$", reading.problems) or ConfigurationDocument()
    reading.note("$", document.ignored)
    for name, stages in _members(data, "stageSets").items():
        reading.read_stage_set(name, stages)
    for index, pipeline in enumerate(_elements(data, "pipelines")):
        reading.read_pipeline(f"$.pipelines[{index}]", pipeline)
    guardrails = read_guardrails(document.guardrails, reading.problems)
    reading.problems += check_pipelines(reading.drafts, _text(data, "defaultPipeline"))
    if reading.problems:
        raise ConfigurationError("\n".join(_told(source, reading.problems)))
    return Configuration(
        source=source,
        pipelines=tuple(reading.pipelines),
        default_pipeline=document.default_pipeline,
        guardrails=guardrails,
        executor=_create_executor(document.executor),
        warnings=reading.warnings(source),
    )


def _told(source: str, problems: Sequence[Problem]) -> list[str]:
    lines = [f"{source}: {problem.place}: {problem.message}" for problem in problems[:MOST_PROBLEMS]]
    more = len(problems) - len(lines)
    return [*lines, f"{source}: $: and {more} more; mend these first."] if more else lines


def select_pipeline(configuration: Configuration, pipeline_id: str | None) -> Pipeline:
    """The pipeline with that id; without an id the file's default, else `diagnostics`, else the only one there is.

    ConfigurationError if it is not there.
    """
    known = {pipeline.id: pipeline for pipeline in configuration.pipelines}
    wanted = pipeline_id or configuration.default_pipeline or _DEFAULT_PIPELINE
    if wanted in known:
        return known[wanted]
    if not pipeline_id and len(known) == 1:
        return configuration.pipelines[0]
    remedy = suggest(wanted, known) or f'; add it to "pipelines", for example {MINIMAL_CONFIGURATION}'
    raise ConfigurationError(f"Pipeline '{wanted}' not found. Looked in {configuration.source}{remedy}")


@define
class _Reading:
    """What was found in the file so far."""

    problems: list[Problem] = field(factory=list)
    without_effect: dict[str, list[str]] = field(factory=dict)
    stage_sets: dict[str, list[PlacedStage]] = field(factory=dict)
    drafts: list[PipelineDraft] = field(factory=list)
    pipelines: list[Pipeline] = field(factory=list)

    def note(self, place: str, keys: Iterable[str]) -> None:
        """Keys at `place` that are accepted and have no effect."""
        for key in keys:
            self.without_effect.setdefault(key, []).append(place)

    def warnings(self, source: str) -> tuple[str, ...]:
        """One text for all keys without effect, or none."""
        if not self.without_effect:
            return ()
        keys = (f"{key} (at {_first_of(places)})" for key, places in self.without_effect.items())
        return (f"{source}: these keys are known but have no effect here: {', '.join(keys)}.",)

    def read_stage_set(self, name: str, data: object) -> None:
        """The stages of a set, to be put in where a pipeline refers to it."""
        place = f"$.stageSets{step(name)}"
        if not isinstance(data, list):
            self.problems.append(Problem(place, f"expected a list, got {show(data)}"))
        stages = (self._read_stage(f"{place}[{index}]", part, in_set=True) for index, part in enumerate(_list(data)))
        self.stage_sets[name] = [placed for several in stages for placed in several]

    def read_pipeline(self, place: str, data: object) -> None:
        """The pipeline, if all of it can be read; its draft in any case."""
        document = decode_at(CONVERTER, PipelineDocument, data, place, self.problems)
        self.note(place, document.ignored if document else ())
        parts = enumerate(_elements(data, "stages"))
        stages = [placed for index, part in parts for placed in self._read_stage(f"{place}.stages[{index}]", part)]
        complete = all(placed.id is not None for placed in stages)
        units = None if document is None else tuple(document.resources or ())
        self.drafts.append(PipelineDraft(place=place, id=_text(data, "id"), stages=tuple(stages), complete=complete, resources=units))
        if document is not None:
            self.pipelines.append(_create_pipeline(document, [placed.stage for placed in stages if placed.stage]))

    def _read_stage(self, place: str, data: object, *, in_set: bool = False) -> list[PlacedStage]:
        """The stage at `place`, or the stages of the set that it refers to."""
        document = stage_document_at(data, place, self.problems)
        if document is None:
            return [PlacedStage(place=place, id=_text(data, "id"), stage=None)]
        if not isinstance(document, StageSetReference):
            self.note(place, ignored_keys(document))
            return [PlacedStage(place=place, id=document.id, stage=create_stage(document))]
        if document.ref in self.stage_sets and not in_set:
            return self.stage_sets[document.ref]
        unknown = f"no stage set is called {document.ref!r}{suggest(document.ref, self.stage_sets)}"
        inside = "a stage set cannot refer to a stage set; write its stages here"
        self.problems.append(Problem(f"{place}.{'kind' if in_set else 'ref'}", inside if in_set else unknown))
        return [PlacedStage(place=place, id=None, stage=None)]


def _create_pipeline(document: PipelineDocument, stages: Iterable[Stage]) -> Pipeline:
    return Pipeline(
        id=document.id,
        title=document.title or document.id,
        description=document.description,
        stages=tuple(stages),
        tags=document.tags or (),
        guardrails_required=document.guardrails_required is not False,
        parallel=document.parallel is True,
        timeout=document.timeout_seconds,
        resources={str(name): units for name, units in (document.resources or {}).items()},
    )


def _create_executor(document: ExecutorDocument | None) -> ExecutorSettings:
    if document is None:
        return ExecutorSettings()
    return ExecutorSettings(
        kind=document.kind,
        scheduler=document.scheduler,
        scheduler_file=document.scheduler_file,
        remote_root=document.remote_root,
        environment=tuple(document.environment or ()),
        worker_resources={str(name): float(units) for name, units in (document.worker_resources or {}).items()},
        tls_ca_file=document.tls_ca_file,
        tls_cert=document.tls_cert,
        tls_key=document.tls_key,
    )


def _first_of(places: list[str]) -> str:
    return places[0] if len(places) == 1 else f"{places[0]} and {len(places) - 1} more"


# Looking into data that may be anything ----------------------------------------------------------------------------


def _members(data: object, key: str) -> Mapping[str, object]:
    member = data.get(key) if isinstance(data, Mapping) else None
    return member if isinstance(member, Mapping) else {}


def _elements(data: object, key: str) -> list[object]:
    return _list(data.get(key)) if isinstance(data, Mapping) else []


def _list(data: object) -> list[object]:
    return data if isinstance(data, list) else []


def _text(data: object, key: str) -> str | None:
    text = data.get(key) if isinstance(data, Mapping) else None
    return text if isinstance(text, str) and text.strip() else None
