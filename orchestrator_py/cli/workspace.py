"""Where a command works: the root, the configuration and the folders, from flags, then the environment, then what is found."""

import os
from collections.abc import Mapping
from pathlib import Path

from orchestrator_py.cli import folders
from orchestrator_py.cli.console import say
from orchestrator_py.cli.folders import CONFIG_NAME, parse_task
from orchestrator_py.core.configuration import select_pipeline
from orchestrator_py.core.plan import find_target, select_target
from orchestrator_py.core.suggestion import suggest
from orchestrator_py.errors import IdentifierError, InputError
from orchestrator_py.ids import TaskId
from orchestrator_py.lean import frozen
from orchestrator_py.model.pipeline import Configuration, Pipeline
from orchestrator_py.store.config_file import read_configuration
from orchestrator_py.store.layout import Layout

TYPE_CHECKING = False  # type checkers read the name; who calls a command plainly is spared argparse
if TYPE_CHECKING:
    from argparse import Namespace

DEFAULT_TASK = "0101"


@frozen(kw_only=True)
class Workspace:
    """Everything that a command needs before it does anything."""

    layout: Layout
    configuration: Configuration
    environment: Mapping[str, str]


def open_workspace(arguments: "Namespace") -> Workspace:
    """Read and check; warnings go to stderr. ConfigurationError or InputError names what has to be changed."""
    environment = dict(os.environ)
    root = find_root(arguments, environment)
    configuration = read_configuration(_config_path(arguments, environment, root))
    for warning in configuration.warnings:
        say(f"warning: {warning}")
    runs = arguments.runs_dir or environment.get("CODEX_ORCHESTRATOR_RUNS_DIR")
    out = arguments.out_dir or environment.get("CODEX_ORCHESTRATOR_OUT_DIR")
    return Workspace(
        layout=Layout.below(root, named_folder(runs), named_folder(out)),
        configuration=configuration,
        environment=environment,
    )


def find_configuration(arguments: "Namespace") -> Path:
    """Where the configuration should be."""
    environment = dict(os.environ)
    return _config_path(arguments, environment, find_root(arguments, environment))


def select_work(workspace: Workspace, arguments: "Namespace") -> tuple[Pipeline, str | None]:
    """The pipeline, and the stage whose report stands first. ConfigurationError if there is no such pipeline, InputError for no name."""
    if arguments.pipeline is not None and not arguments.pipeline.strip():  # a variable of the shell that is not set, most likely
        raise InputError("The name of the pipeline is empty; name one, or leave the argument out for the default pipeline.")
    pipeline = select_pipeline(workspace.configuration, arguments.pipeline)
    return pipeline, _select_target(pipeline, arguments, workspace.environment)


def select_task(arguments: "Namespace", environment: Mapping[str, str]) -> TaskId:
    """The task's id: the flag, MCP_RUNNER_TASK_ID, else 0101. IdentifierError says which of them is wrong."""
    if arguments.task is not None:
        return parse_task(arguments.task)
    value = environment.get("MCP_RUNNER_TASK_ID")
    if value is None:
        return parse_task(DEFAULT_TASK)
    try:
        return parse_task(value)
    except IdentifierError as error:
        raise IdentifierError(f'Invalid MCP_RUNNER_TASK_ID "{value}": {error}') from None


def _select_target(pipeline: Pipeline, arguments: "Namespace", environment: Mapping[str, str]) -> str | None:
    """By the contract a target that matches nothing is none; whoever named it is told."""
    target = select_target(arguments.target, None, environment.get("CODEX_ORCHESTRATOR_TARGET_STAGE"))
    if target is not None and find_target(pipeline, target) is None:
        names = [name for stage in pipeline.stages for name in (stage.id, *stage.hints.aliases)]
        hint = suggest(target.rpartition(":")[2], names)
        say(f"warning: no stage of pipeline {pipeline.id!r} matches the target {target!r}, which has no effect{hint}")
    return target


def find_root(arguments: "Namespace", environment: Mapping[str, str]) -> Path:
    """The repository: the flag, the variable, else the nearest folder upwards that holds the configuration, else where we are."""
    return Path(folders.find_root(arguments, environment))


def find_new_root(arguments: "Namespace") -> Path:
    """Where a repository is that has no configuration yet: the flag, the variable, else where we are."""
    return Path(folders.named_root(arguments, os.environ) or folders.current_folder())


def _config_path(arguments: "Namespace", environment: Mapping[str, str], root: Path) -> Path:
    named = arguments.config or environment.get("CODEX_ORCHESTRATOR_REPO_CONFIG_PATH")
    return Path(os.path.abspath(named)) if named else root / CONFIG_NAME


def named_folder(name: str | None) -> Path | None:
    """A folder that was named is meant as the caller's shell means it: relative to where we are."""
    return Path(os.path.realpath(name)) if name else None
