"""`metrics export`: the figures of tasks for Prometheus, on stdout or in a file that is replaced whole."""

import os
import sys
from argparse import Namespace
from io import TextIOWrapper
from pathlib import Path

from orchestrator_py.cli.console import print_text, say
from orchestrator_py.cli.exit_codes import NOT_RECORDED
from orchestrator_py.cli.metrics_place import open_layout, select_tasks
from orchestrator_py.exports.prometheus import OPENMETRICS, TEXT, exposition
from orchestrator_py.store.files import make_folders, replace_bytes


def export(arguments: Namespace) -> int:
    """0; 74 if something could not be read, which is named, or the file not be written. What could be read is told all the same."""
    layout = open_layout(arguments)
    tasks = None if arguments.task is None else [task.task_id for task in select_tasks(arguments, layout)]
    answer = exposition(layout, OPENMETRICS if arguments.format == "openmetrics" else TEXT, tasks=tasks)
    for problem in answer.problems:
        say(problem)
    code = NOT_RECORDED if answer.problems else 0
    if arguments.output is None:
        return _print(answer.content.decode(), code)
    _write(Path(os.path.abspath(arguments.output)), answer.content)
    return code


def _print(text: str, code: int) -> int:
    """Both formats are UTF-8 by definition."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    return print_text(text, code)


def _write(path: Path, content: bytes) -> None:
    """Whoever reads the file meanwhile sees the one before or this one. StoreError if it cannot be written."""
    make_folders(path.parent)
    replace_bytes(path, content, durable=False)
