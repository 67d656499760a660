"""`status`: where one run stands; with --watch every change until it has ended."""

import os
import sys

from orchestrator_py.cli.console import print_json, print_lines, print_text, printable, reader_goes
from orchestrator_py.cli.exit_codes import code_of_word
from orchestrator_py.cli.reading_place import choose_run, find_place, now, runs_in_flight
from orchestrator_py.cli.status_text import spoken, stage_line, status_data, status_lines
from orchestrator_py.reading.any_run import require_any_run
from orchestrator_py.reading.files import UnreadableError
from orchestrator_py.reading.run import Run, text_of
from orchestrator_py.reading.stage_events import Told, read_stage_events

TYPE_CHECKING = False  # type checkers read the name; who calls a command plainly is spared argparse
if TYPE_CHECKING:
    from argparse import Namespace

READER_HAS_GONE = 141
"""As SIGPIPE ends other programs: how the run ends is not known, and 0 would say so."""
REST_SECONDS = 0.25
"""Between two looks at a manifest: it is rewritten a few times a second at most."""


def status(arguments: "Namespace") -> int:
    """0 if it can be told; with --watch the code of the run's verdict, 141 if the reader goes before. StoreError if it cannot be read."""
    place = find_place(arguments)
    task, run_id = choose_run(place, arguments.run, runs_in_flight(place, []))
    if arguments.watch:
        return _watch(place.runs_root, task, run_id, arguments)
    return _tell(require_any_run(place.runs_root, task, run_id), arguments, 0)


def _tell(run: Run, arguments: "Namespace", code: int) -> int:
    told = _read_told(run)
    if arguments.format == "json":
        return print_json(status_data(run, told, now()), code)
    return print_lines(status_lines(run, told, now()), code)


def _read_told(run: Run) -> Told:
    """Where the run stands is known without its events, too."""
    try:
        return read_stage_events(run)
    except UnreadableError:
        return {}


def _watch(runs_root: str, task: str, run_id: str, arguments: "Namespace") -> int:
    """JSON is the one document of the end. A terminal is drawn anew at each change, anything else gets a line for each.

    Nobody watches without a reader.
    """
    code, drawn, told = 0, 0, dict[str, str]()
    run = require_any_run(runs_root, task, run_id)
    while not run.has_ended:
        if arguments.format == "text" and sys.stdout.isatty():
            code, drawn = _draw(run, drawn)
        elif arguments.format == "text":
            code = _tell_changes(run, told)
        if code:
            return code
        if reader_goes(REST_SECONDS):
            return READER_HAS_GONE
        run = require_any_run(runs_root, task, run_id)
    if drawn:
        print_text(_up(drawn), 0)
    return _tell(run, arguments, code_of_word(run.word))


def _draw(run: Run, before: int) -> tuple[int, int]:
    """Over the lines that were drawn before; the answer is the code to end with, and how many they are. None is wider than the terminal."""
    columns = os.get_terminal_size(sys.stdout.fileno()).columns or 80
    lines = [printable(line)[: columns - 1] for line in status_lines(run, {}, now())]
    return print_text(_up(before) + "".join(f"{line}\x1b[K\n" for line in lines), 0), len(lines)


def _up(lines: int) -> str:
    return f"\x1b[{lines}A\x1b[J" if lines else ""


def _tell_changes(run: Run, told: dict[str, str]) -> int:
    """Of the run and of each stage; the answer is the code to end with."""
    words = {"": run.word, **{text_of(stage, "id"): run.stage_word(stage) for stage in run.objects("commands")}}
    stages = {text_of(stage, "id"): stage for stage in run.objects("commands")}
    changed = [name for name, word in words.items() if told.get(name) != word and not (name and word == "pending")]
    told.update(words)
    lines = (f"{name}: {stage_line(run, stages[name], now())}" if name else f"{run.run_id}: {spoken(run.word)}" for name in changed)
    return print_lines(lines, 0)
