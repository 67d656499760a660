"""Where the commands of a call run: flags, then the configuration."""

import os
from argparse import Namespace
from collections.abc import Mapping

from orchestrator_py.app.elsewhere import Elsewhere
from orchestrator_py.cli.workspace import Workspace
from orchestrator_py.errors import InputError
from orchestrator_py.lean import evolve
from orchestrator_py.model.pipeline import ExecutorKind, ExecutorSettings

_PATHS = ("scheduler_file", "remote_root", "tls_ca_file", "tls_cert", "tls_key")


def choose_elsewhere(arguments: Namespace, workspace: Workspace, processors: int) -> Elsewhere:
    """What the call says, and the file where it says nothing. InputError for what makes no sense."""
    settings = _settings(arguments, workspace)
    names = dict.fromkeys((*settings.environment, *arguments.remote_env))
    return Elsewhere(
        settings=settings,
        jobs=arguments.jobs,
        workers=arguments.jobs or processors,
        insecure=arguments.insecure,
        allow_dirty=arguments.allow_dirty_remote,
        environment=_passed(workspace.environment, names),
    )


def _settings(arguments: Namespace, workspace: Workspace) -> ExecutorSettings:
    said = workspace.configuration.executor
    root = workspace.layout.root
    found = {key: str(root / path) for key in _PATHS if (path := getattr(said, key)) is not None}
    found |= {key: os.path.abspath(path) for key in _PATHS if (path := getattr(arguments, key)) is not None}
    if arguments.scheduler is not None:
        found.pop("scheduler_file", None)
    named = arguments.scheduler or (None if arguments.scheduler_file else said.scheduler)
    return evolve(
        said,
        kind=ExecutorKind(arguments.executor) if arguments.executor else said.kind,
        scheduler_file=found.get("scheduler_file"),
        remote_root=found.get("remote_root"),
        tls_ca_file=found.get("tls_ca_file"),
        tls_cert=found.get("tls_cert"),
        tls_key=found.get("tls_key"),
        scheduler=named,
        worker_resources={**said.worker_resources, **dict(arguments.worker_resource)},
    )


def _passed(environment: Mapping[str, str], names: Mapping[str, None]) -> Mapping[str, str]:
    missing = [name for name in names if name not in environment]
    if missing:
        raise InputError(f"{', '.join(missing)} cannot be passed on: no such variable is set here; set it, or do not name it.")
    return {name: environment[name] for name in names}
