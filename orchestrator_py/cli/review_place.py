"""Which run is reviewed: the manifest that is named, else the newest run's."""

import os
from argparse import Namespace

from orchestrator_py.cli.folders import parse_task
from orchestrator_py.core.places import MANIFEST, RUNS, RUNS_OF_COMMAND_LINE
from orchestrator_py.errors import InputError
from orchestrator_py.reading.files import UnreadableError
from orchestrator_py.reading.lookup import list_tasks, newest_runs
from orchestrator_py.reading.run import Run, read_run

_VARIABLES = ("MANIFEST", "CODEX_ORCHESTRATOR_MANIFEST_PATH")


def find_run(arguments: Namespace, root: str) -> Run:
    """Flags win over variables, a named manifest over the newest run. InputError if there is none, or it is another task's."""
    task = None if arguments.task is None else parse_task(arguments.task)
    if arguments.manifest is not None:
        run = _named(arguments.manifest, "--manifest")
        if task is not None and run.task != task:
            raise InputError(f"{run.path}: is a run of task {run.task}, not of {task}; name the other manifest, or leave --task out.")
        return run
    for variable in _VARIABLES:
        if named := os.environ.get(variable):
            run = _named(named, variable)
            if task in (None, run.task):
                return run
    return _newest(_runs_root(arguments, root), task or _task_of_variables())


def _named(path: str, who: str) -> Run:
    place = os.path.realpath(path)
    folder = os.path.dirname(place)
    runs, run_id = os.path.split(folder)
    task_folder, kind = os.path.split(runs)
    runs_root, task = os.path.split(task_folder)
    if os.path.basename(place) != MANIFEST or kind != RUNS_OF_COMMAND_LINE or not task:
        form = os.path.join("TASK", RUNS_OF_COMMAND_LINE, "RUN", MANIFEST)
        raise InputError(f"{who} is {path!r}, which is no manifest of a command-line run; name one that lies at {form} in the runs folder.")
    run = read_run(runs_root, task, run_id)
    if run is None:
        raise InputError(f"{who} is {path!r}, and nothing is there; name the manifest of a run, or leave it out to review the newest run.")
    return run


def _newest(runs_root: str, task: str | None) -> Run:
    """A child run is a part of its parent's, which is reviewed as a whole."""
    problems: list[UnreadableError] = []
    for run in newest_runs(runs_root, list_tasks(runs_root) if task is None else [task], problems):
        if not run.text("parent_run_id"):
            return run
    unread = f" ({problems[0]})" if problems else ""
    whose = "" if task is None else f" of task {task}"
    raise InputError(f"{runs_root}: there is no run{whose} to review{unread}; start one with `orchestrator-py run`, or name --manifest.")


def _task_of_variables() -> str | None:
    said = os.environ.get("TASK") or os.environ.get("MCP_RUNNER_TASK_ID")
    return parse_task(said) if said else None


def _runs_root(arguments: Namespace, root: str) -> str:
    named = arguments.runs_dir or os.environ.get("CODEX_ORCHESTRATOR_RUNS_DIR")
    return os.path.realpath(named) if named else os.path.join(root, RUNS)
