"""Where the `metrics` commands work, and on which tasks. No configuration is read: the record is there without one."""

import os
from argparse import Namespace
from collections.abc import Sequence

from orchestrator_py.cli.folders import parse_task
from orchestrator_py.cli.workspace import find_root, named_folder
from orchestrator_py.errors import InputError
from orchestrator_py.store.layout import Layout, TaskLayout
from orchestrator_py.store.run_folders import list_tasks


def open_layout(arguments: Namespace) -> Layout:
    """The folders, from flags, then the environment, then what is found."""
    environment = dict(os.environ)
    runs = arguments.runs_dir or environment.get("CODEX_ORCHESTRATOR_RUNS_DIR")
    out = arguments.out_dir or environment.get("CODEX_ORCHESTRATOR_OUT_DIR")
    return Layout.below(find_root(arguments, environment), named_folder(runs), named_folder(out))


def select_tasks(arguments: Namespace, layout: Layout) -> Sequence[TaskLayout]:
    """The task that is named, which must be there, or all that have anything on record. InputError says what is wrong."""
    if arguments.task is None:
        return [layout.task(task_id) for task_id in list_tasks(layout)]
    task = layout.task(parse_task(arguments.task))
    if not os.path.lexists(task.folder):
        raise InputError(f"{task.folder}: there is no such task; `orchestrator-py metrics show` names those that are there.")
    return [task]
