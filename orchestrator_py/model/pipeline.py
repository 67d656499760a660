"""Pipelines as the configuration file describes them: stages, their order and what each may need."""

from collections.abc import Mapping
from datetime import timedelta
from enum import Enum
from typing import Literal

from orchestrator_py.lean import field, frozen
from orchestrator_py.model.guard_settings import GuardSettings
from orchestrator_py.model.policy import SubtaskPolicy


@frozen(kw_only=True)
class PlanHints:
    """What a stage says about its place in the plan: may it be a target, which one is the default, where does it run."""

    runnable: bool = True
    default_target: bool = False
    aliases: tuple[str, ...] = ()
    requires_cloud: bool = False
    execution_mode: str | None = None


@frozen(kw_only=True)
class CommandStage:
    """One shell command, with an optional command that tests and one that reviews what it made.

    `policy.needs` holds ids of stages of the same pipeline. `cwd` is relative to the repository, `env` is added last to the
    environment of each of the three commands. `summary_hint` replaces what the command said in reports. A `guardrail` counts in the run's
    guardrail status, whatever it is called.
    """

    id: str
    title: str
    command: str
    test: str | None = None
    review: str | None = None
    cwd: str | None = None
    env: Mapping[str, str] = field(factory=dict)
    summary_hint: str | None = None
    guardrail: bool = False
    session_id: str | None = None
    hints: PlanHints = PlanHints()
    policy: SubtaskPolicy = field(factory=SubtaskPolicy)

    @property
    def kind(self) -> Literal["command"]:
        return "command"


@frozen(kw_only=True)
class SubpipelineStage:
    """Another pipeline of the same file, run as one stage; an optional one may fail (`policy.allow_failure`)."""

    id: str
    title: str
    pipeline: str
    hints: PlanHints = PlanHints()
    policy: SubtaskPolicy = field(factory=SubtaskPolicy)

    @property
    def kind(self) -> Literal["subpipeline"]:
        return "subpipeline"


Stage = CommandStage | SubpipelineStage


@frozen(kw_only=True)
class Pipeline:
    """Stages in the order of the file, references to stage sets already replaced.

    `timeout` is for a whole run of it. `resources` says how many units there are of what its stages name in `policy.resources`.
    """

    id: str
    title: str
    description: str | None = None
    stages: tuple[Stage, ...]
    tags: tuple[str, ...] = ()
    guardrails_required: bool = True
    parallel: bool = False
    timeout: timedelta | None = None
    resources: Mapping[str, int] = field(factory=dict)

    @property
    def capabilities(self) -> tuple[str, ...]:
        """What a run of it asks of the scheduler: its tags, `general` without any."""
        return self.tags or ("general",)

    @property
    def sequential(self) -> bool:
        """Whether the order of the file is the order of work: neither `parallel` nor any `needs` says otherwise."""
        return not self.parallel and not any(stage.policy.needs for stage in self.stages)


class ExecutorKind(Enum):
    """Where commands run: here, on the workers of a Dask cluster, or of one that is started on this machine for the call."""

    LOCAL = "local"
    DASK = "dask"
    DASK_LOCAL = "dask-local"


@frozen(kw_only=True)
class ExecutorSettings:
    """Where commands run. `scheduler` is an address, `scheduler_file` a file that holds one; paths may be relative to the repository.

    `remote_root` is where the workers have the repository, `environment` names what they are given of ours. `worker_resources` tells how
    many units of which resource of a worker stand behind a tag of a pipeline or a resource of a stage.
    """

    kind: ExecutorKind = ExecutorKind.LOCAL
    scheduler: str | None = None
    scheduler_file: str | None = None
    remote_root: str | None = None
    environment: tuple[str, ...] = ()
    worker_resources: Mapping[str, float] = field(factory=dict)
    tls_ca_file: str | None = None
    tls_cert: str | None = None
    tls_key: str | None = None


@frozen(kw_only=True)
class Configuration:
    """A configuration file that can run. `warnings` tell what was accepted but has no effect."""

    source: str
    pipelines: tuple[Pipeline, ...] = ()
    default_pipeline: str | None = None
    guardrails: GuardSettings = GuardSettings()
    executor: ExecutorSettings = ExecutorSettings()
    warnings: tuple[str, ...] = ()
