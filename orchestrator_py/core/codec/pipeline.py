"""From one stage of the configuration file to the value that the program works with."""

from collections.abc import Iterator, Mapping

from orchestrator_py.core.codec.configuration import (
    CONVERTER,
    CommandDocument,
    HintsDocument,
    RetryDocument,
    StageDocument,
    StageSetReference,
    SubpipelineDocument,
)
from orchestrator_py.core.codec.problems import Problem, show
from orchestrator_py.core.codec.strict import decode_at
from orchestrator_py.core.suggestion import suggest
from orchestrator_py.model.pipeline import CommandStage, PlanHints, Stage, SubpipelineStage
from orchestrator_py.model.policy import RETRYABLE, RetryPolicy, SubtaskPolicy

AnyStage = CommandDocument | SubpipelineDocument | StageSetReference

KINDS: Mapping[str, type[AnyStage]] = {"command": CommandDocument, "subpipeline": SubpipelineDocument, "stage-set": StageSetReference}


def stage_document_at(data: object, place: str, problems: list[Problem]) -> AnyStage | None:
    """The object that stands at `place`, by its `kind`; for anything else None, and the reasons are added to `problems`."""
    match data:
        case {"kind": str(kind)} if kind in KINDS:
            return decode_at(CONVERTER, KINDS[kind], data, place, problems)
        case {"kind": str(kind)}:
            problems.append(Problem(f"{place}.kind", f"no kind of stage is called {kind!r}{suggest(kind, KINDS)}"))
        case Mapping():
            problems.append(Problem(place, f"the key 'kind' is missing, or no text; expected one of {', '.join(map(repr, KINDS))}"))
        case _:
            problems.append(Problem(place, f"expected an object, got {show(data)}"))
    return None


def ignored_keys(document: StageDocument) -> Iterator[str]:
    """The keys of the stage that are accepted and have no effect."""
    yield from document.ignored
    if document.plan is not None:
        yield from (f"plan.{key}" for key in document.plan.ignored)
    if isinstance(document, CommandDocument) and document.session is not None:
        yield "session"


def create_stage(document: CommandDocument | SubpipelineDocument) -> Stage:
    """The stage; without a title of its own it is called by its id."""
    if isinstance(document, SubpipelineDocument):
        return SubpipelineStage(
            id=document.id,
            title=document.title or document.id,
            pipeline=document.pipeline,
            hints=_hints(document),
            policy=_policy(document, allow_failure=document.optional),
        )
    return CommandStage(
        id=document.id,
        title=document.title or document.id,
        command=document.command,
        test=document.test,
        review=document.review,
        cwd=document.cwd,
        env={str(name): text for name, text in (document.env or {}).items()},
        summary_hint=document.summary_hint,
        guardrail=document.guardrail is True,
        session_id=document.session.id if document.session else None,
        hints=_hints(document),
        policy=_policy(document, allow_failure=document.allow_failure),
    )


def _policy(document: StageDocument, *, allow_failure: bool | None) -> SubtaskPolicy:
    return SubtaskPolicy(
        needs=tuple(dict.fromkeys(document.needs)),
        allow_failure=bool(allow_failure),
        retry=_retry(document.retry),
        timeout=document.timeout_seconds or document.timeout_ms,
        resources=tuple(dict.fromkeys(document.resources)),
    )


def _retry(document: RetryDocument) -> RetryPolicy:
    return RetryPolicy(
        max_attempts=document.max_attempts,
        backoff=document.backoff_seconds,
        backoff_factor=document.backoff_factor,
        max_backoff=document.max_backoff_seconds,
        jitter=document.jitter is True,
        on=RETRYABLE if document.on is None else document.on,
    )


def _hints(document: StageDocument) -> PlanHints:
    plan = document.plan or HintsDocument()
    mode = _execution_mode(plan, document)
    flags = (plan.requires_cloud_alias, plan.requires_cloud, document.requires_cloud, document.requires_cloud_alias)
    defaults = (plan.default_target, plan.default, plan.primary)
    return PlanHints(
        runnable=plan.runnable is not False,
        default_target=bool(next((flag for flag in defaults if flag is not None), False)),
        aliases=plan.aliases or (),
        requires_cloud=next((flag for flag in flags if flag is not None), mode == "cloud"),
        execution_mode=mode,
    )


def _execution_mode(plan: HintsDocument, document: StageDocument) -> str | None:
    """The first that is written, trimmed and in small letters; blanks are no mode."""
    words = (plan.execution_mode, document.execution_mode, document.execution_mode_alias, document.mode)
    first = next((word for word in words if word is not None), "")
    return first.strip().lower() or None
