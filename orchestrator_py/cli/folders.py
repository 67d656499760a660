"""Which folders and which task a command means, from flags, then the environment, then what is found. Needs no library."""

import os
from collections.abc import Iterator, Mapping

from orchestrator_py.core.places import OUT, RUNS, refuse_reserved_task
from orchestrator_py.errors import InputError
from orchestrator_py.ids import TaskId, parse_task_id

TYPE_CHECKING = False  # type checkers read the name; who calls a command plainly is spared argparse
if TYPE_CHECKING:
    from argparse import Namespace

CONFIG_NAME = "codex.orchestrator.json"


def find_root(arguments: "Namespace", environment: Mapping[str, str]) -> str:
    """The repository: the flag, the variable, else the nearest folder upwards that holds the configuration, else where we are."""
    named = named_root(arguments, environment)
    if named is not None:
        return named
    here = current_folder()
    return next((folder for folder in _upwards(here) if os.path.isfile(os.path.join(folder, CONFIG_NAME))), here)


def named_root(arguments: "Namespace", environment: Mapping[str, str]) -> str | None:
    """The repository that the flag or the variable names. InputError if it is not there."""
    named = arguments.root or environment.get("CODEX_ORCHESTRATOR_ROOT")
    if not named:
        return None
    if not os.path.isdir(named):
        raise InputError(f"{named}: there is no such folder; name the repository with --root.")
    return os.path.realpath(named)


def current_folder() -> str:
    """InputError if it is gone."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        raise InputError("The current folder is gone; change to another one, or name the repository with --root.") from None


def find_record(arguments: "Namespace") -> tuple[str, str]:
    """The runs folder and the out folder. One that is named is meant as the caller's shell means it: relative to where we are."""
    root = find_root(arguments, os.environ)
    runs = arguments.runs_dir or os.environ.get("CODEX_ORCHESTRATOR_RUNS_DIR")
    out = arguments.out_dir or os.environ.get("CODEX_ORCHESTRATOR_OUT_DIR")
    return (
        os.path.realpath(runs) if runs else os.path.join(root, RUNS),
        os.path.realpath(out) if out else os.path.join(root, OUT),
    )


def parse_task(value: str) -> TaskId:
    """IdentifierError if no task can have that name."""
    task_id = parse_task_id(value)
    refuse_reserved_task(task_id)
    return task_id


def _upwards(folder: str) -> Iterator[str]:
    yield folder
    while (parent := os.path.dirname(folder)) != folder:
        yield parent
        folder = parent
