"""Where a command works: the root, the configuration and the folders, from flags, then the environment, then what is found."""

import os
import sys
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from orchestrator_py.core.configuration import select_pipeline
from orchestrator_py.core.plan import select_target
from orchestrator_py.errors import IdentifierError, InputError
from orchestrator_py.ids import TaskId, parse_task_id
from orchestrator_py.model.pipeline import Configuration, Pipeline
from orchestrator_py.store.config_file import read_configuration
from orchestrator_py.store.layout import Layout

CONFIG_NAME = "codex.orchestrator.json"
DEFAULT_TASK = "0101"


@frozen(kw_only=True)
class Workspace:
    """Everything that a command needs before it does anything."""

    layout: Layout
    configuration: Configuration
    pipeline: Pipeline
    target: str | None
    environment: Mapping[str, str]


def open_workspace(arguments: Namespace) -> Workspace:
    """Read and check; warnings go to stderr. ConfigurationError or InputError names what has to be changed."""
    environment = dict(os.environ)
    root = _find_root(arguments, environment)
    configuration = read_configuration(_config_path(arguments, root))
    for warning in configuration.warnings:
        print(f"orchestrator-py: warning: {warning}", file=sys.stderr)
    runs = arguments.runs_dir or environment.get("CODEX_ORCHESTRATOR_RUNS_DIR") or None
    out = arguments.out_dir or environment.get("CODEX_ORCHESTRATOR_OUT_DIR") or None
    return Workspace(
        layout=Layout.below(root, _folder(runs), _folder(out)),
        configuration=configuration,
        pipeline=select_pipeline(configuration, arguments.pipeline),
        target=select_target(arguments.target, None, environment.get("CODEX_ORCHESTRATOR_TARGET_STAGE")),
        environment=environment,
    )


def select_task(arguments: Namespace, environment: Mapping[str, str]) -> TaskId:
    """The task's id: the flag, MCP_RUNNER_TASK_ID, else 0101. IdentifierError says which of them is wrong."""
    if arguments.task is not None:
        return parse_task_id(arguments.task)
    value = environment.get("MCP_RUNNER_TASK_ID")
    if value is None:
        return parse_task_id(DEFAULT_TASK)
    try:
        return parse_task_id(value)
    except IdentifierError as error:
        raise IdentifierError(f'Invalid MCP_RUNNER_TASK_ID "{value}": {error}') from None


def _find_root(arguments: Namespace, environment: Mapping[str, str]) -> Path:
    named = arguments.root or environment.get("CODEX_ORCHESTRATOR_ROOT")
    if named:
        root = Path(named).absolute()
        if not root.is_dir():
            raise InputError(f"{root}: there is no such folder; name the repository with --root.")
        return root
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / CONFIG_NAME).is_file()), here)


def _config_path(arguments: Namespace, root: Path) -> Path:
    return Path(arguments.config).absolute() if arguments.config else root / CONFIG_NAME


def _folder(name: str | None) -> Path | None:
    """A folder that was named is meant as the caller's shell means it: relative to where we are."""
    return None if name is None else Path(name).absolute()
