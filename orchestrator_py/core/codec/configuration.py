"""The configuration file, object by object: every key that may be written in it, its type and its limits.

Keys that the reference implementation acts on and this program does not are `ignored`: accepted, and told to the user once.
"""

from collections.abc import Mapping

from orchestrator_py.core.codec.limits import (
    NO_GROWTH,
    NO_PAUSE,
    ONE_ATTEMPT,
    THIRTY_DAYS,
    Attempts,
    Command,
    Factor,
    InnerPath,
    Least1,
    Limit,
    LimitMilliseconds,
    Name,
    Pause,
    RetryableOutcome,
    ShellText,
    Units,
    VariableName,
    add_limits,
)
from orchestrator_py.core.codec.strict import Converter, shape, shared_converter
from orchestrator_py.lean import field, frozen
from orchestrator_py.model.pipeline import ExecutorKind


@frozen(kw_only=True)
class ExecutorDocument:
    """Where the commands of all pipelines run."""

    kind: ExecutorKind = ExecutorKind.LOCAL
    scheduler: Name | None = None
    scheduler_file: Command | None = None
    remote_root: Command | None = None
    environment: tuple[VariableName, ...] | None = None
    worker_resources: Mapping[Name, Units] | None = None
    tls_ca_file: Command | None = None
    tls_cert: Command | None = None
    tls_key: Command | None = None


@frozen(kw_only=True)
class ConfigurationDocument:
    """The whole file; its parts are decoded one by one, so that one bad part hides nothing in the others."""

    pipelines: tuple[object, ...] | None = None
    default_pipeline: Name | None = None
    stage_sets: Mapping[str, object] | None = None
    guardrails: object = None  # decoded by itself too
    executor: ExecutorDocument | None = None
    schema: str | None = None  # tells editors what may stand in the file
    ignored: tuple[str, ...] = ()


@frozen(kw_only=True)
class PipelineDocument:
    """One pipeline; its stages are decoded one by one."""

    id: Command  # its stages find it in their environment
    title: str | None = None
    description: str | None = None
    stages: tuple[object, ...]
    tags: tuple[Name, ...] | None = None
    guardrails_required: bool | None = None
    parallel: bool | None = None
    timeout_seconds: Limit | None = None
    resources: Mapping[Name, Units] | None = None
    ignored: tuple[str, ...] = ()


@frozen(kw_only=True)
class ReviewDocument:
    """Who reviews a change."""

    command: Command


@frozen(kw_only=True)
class GuardrailsDocument:
    """What the guards hold the repository to."""

    code_paths: tuple[InnerPath, ...] | None = None
    spec_folders: tuple[InnerPath, ...] | None = None
    max_age_days: Least1 | None = THIRTY_DAYS  # null: no limit
    doc_roots: tuple[InnerPath, ...] | None = None
    ignored_paths: tuple[InnerPath, ...] | None = None
    max_files: Least1 | None = None
    max_lines: Least1 | None = None
    review: ReviewDocument | None = None


@frozen(kw_only=True)
class StageSetReference:
    """Stands for the stages of a set."""

    kind: str
    ref: Name


@frozen(kw_only=True)
class HintsDocument:
    """What a stage says about its place in the plan; three keys say the same, two more are written in two ways."""

    runnable: bool | None = None
    default_target: bool | float | None = None
    default: bool | float | None = None
    primary: bool | float | None = None
    aliases: tuple[Name, ...] | None = None
    requires_cloud: bool | None = None
    requires_cloud_alias: bool | None = None
    execution_mode: str | None = None
    ignored: tuple[str, ...] = ()


@frozen(kw_only=True)
class RetryDocument:
    """How often a stage may try, in seconds how long it waits before each further attempt, and after which outcomes."""

    max_attempts: Attempts = ONE_ATTEMPT
    backoff_seconds: Pause = NO_PAUSE
    backoff_factor: Factor = NO_GROWTH
    max_backoff_seconds: Limit | None = None
    jitter: bool | None = None
    on: tuple[RetryableOutcome, ...] | None = None


@frozen(kw_only=True)
class SessionDocument:
    """A shell session to share; every command has its own here."""

    id: str | None = None
    reuse: bool | None = None
    persist: bool | None = None


@frozen(kw_only=True)
class StageDocument:
    """The keys that both kinds of stages have."""

    kind: str
    id: Name
    title: str | None = None
    plan: HintsDocument | None = None
    needs: tuple[Name, ...] = ()
    retry: RetryDocument = field(factory=RetryDocument)
    timeout_seconds: Limit | None = None
    timeout_ms: LimitMilliseconds | None = None
    resources: tuple[Name, ...] = ()
    requires_cloud: bool | None = None
    requires_cloud_alias: bool | None = None
    execution_mode: str | None = None
    execution_mode_alias: str | None = None
    mode: str | None = None
    ignored: tuple[str, ...] = ()


@frozen(kw_only=True)
class CommandDocument(StageDocument):
    """A stage that runs a shell command, and perhaps one that tests and one that reviews. `session` is for the run request only."""

    command: Command
    test: Command | None = None
    review: Command | None = None
    cwd: ShellText | None = None
    env: Mapping[VariableName, ShellText] | None = None
    allow_failure: bool | None = None
    summary_hint: str | None = None
    guardrail: bool | None = None
    session: SessionDocument | None = None


@frozen(kw_only=True)
class SubpipelineDocument(StageDocument):
    """A stage that runs another pipeline of the file."""

    pipeline: Name
    optional: bool | None = None


_TWO_SPELLINGS = {
    "requires_cloud": "requires_cloud",
    "requires_cloud_alias": "requiresCloud",
    "execution_mode": "executionMode",
    "execution_mode_alias": "execution_mode",
}
_CLOUD_ENVIRONMENT = frozenset({"cloudEnvId", "cloud_env_id"})


def _create_configuration_converter() -> Converter:
    converter = shared_converter()
    add_limits(converter)
    shape(converter, ExecutorDocument, keys="camel")
    shape(converter, ConfigurationDocument, keys="camel", renamed={"schema": "$schema"}, ignored=frozenset({"runtimeMode"}))
    shape(converter, PipelineDocument, keys="camel", ignored=frozenset({"metadata", "runtimeMode"}))
    shape(converter, ReviewDocument, keys="camel")
    shape(converter, GuardrailsDocument, keys="camel")
    shape(converter, StageSetReference, keys="camel")
    shape(converter, HintsDocument, keys="camel", renamed=_TWO_SPELLINGS, ignored=_CLOUD_ENVIRONMENT)
    shape(converter, RetryDocument, keys="camel")
    shape(converter, SessionDocument, keys="camel")
    shape(converter, CommandDocument, keys="camel", renamed=_TWO_SPELLINGS, ignored=_CLOUD_ENVIRONMENT)
    shape(converter, SubpipelineDocument, keys="camel", renamed=_TWO_SPELLINGS, ignored=_CLOUD_ENVIRONMENT)
    return converter


CONVERTER = _create_configuration_converter()
