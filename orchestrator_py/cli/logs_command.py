"""`logs`: what the stages of a run have printed; with --follow until it has ended."""

import sys
from io import TextIOWrapper

from orchestrator_py.cli.console import say, stdout_fails
from orchestrator_py.cli.logs_text import Printer
from orchestrator_py.cli.reading_place import choose_run, find_place, say_unreadable
from orchestrator_py.core.suggestion import suggest
from orchestrator_py.errors import InputError
from orchestrator_py.reading.files import UnreadableError
from orchestrator_py.reading.run import Run, require_run
from orchestrator_py.reading.stage_log import Piece, StageLog, stage_logs

TYPE_CHECKING = False  # type checkers read the name; who calls a command plainly is spared argparse
if TYPE_CHECKING:
    from argparse import Namespace


def logs(arguments: "Namespace") -> int:
    """0 if they could be read; 74 if stdout takes nothing more. A reader who has gone away has had enough."""
    place = find_place(arguments)
    task, run_id = choose_run(place, arguments.run)
    run = require_run(place.runs_root, task, run_id)
    chosen = _choose(run, arguments.stage)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    width = None if arguments.stage is not None else max((len(log.stage) for log in chosen), default=0)
    printer = Printer(as_json=arguments.format == "json", width=width, write=_write)
    try:
        if arguments.follow and not run.has_ended:
            _follow(place.runs_root, run, chosen, arguments, printer)
        else:
            _print_all(chosen, arguments, printer)
        sys.stdout.flush()
    except OSError as error:
        return stdout_fails(error, 0)
    return 0


def _print_all(chosen: list[StageLog], arguments: "Namespace", printer: Printer) -> None:
    """A log that cannot be read is named, and the rest goes on."""
    problems: list[UnreadableError] = []
    for log in chosen:
        try:
            for piece in log.pieces():
                if _is_wanted(piece, arguments):
                    printer.print(piece)
        except UnreadableError as error:
            problems.append(error)
        printer.end(log.stage)
    say_unreadable(problems)


def _follow(runs_root: str, run: Run, chosen: list[StageLog], arguments: "Namespace", printer: Printer) -> None:
    import asyncio

    from orchestrator_py.cli.logs_follow import follow

    def tell(piece: Piece) -> None:
        if _is_wanted(piece, arguments):
            printer.print(piece)
            sys.stdout.flush()

    asyncio.run(follow(chosen, lambda: require_run(runs_root, run.task, run.run_id).has_ended, tell))
    for log in chosen:
        printer.end(log.stage)


def _choose(run: Run, stage: str | None) -> list[StageLog]:
    """InputError if there is no such stage, or if its output is that of another run."""
    found = stage_logs(run)
    if stage is None:
        for log in found:
            if log.sub_run_id:
                say(f"{log.stage}: `orchestrator-py logs --run {log.sub_run_id}` prints the output of this child run.")
        return found
    chosen = [log for log in found if log.stage == stage]
    if not chosen:
        raise InputError(f"Run {run.run_id} has no stage {stage!r}{suggest(stage, [log.stage for log in found])}.")
    if chosen[0].sub_run_id:
        raise InputError(f"Stage {stage!r} is a child run; `orchestrator-py logs --run {chosen[0].sub_run_id}` prints its output.")
    return chosen


def _is_wanted(piece: Piece, arguments: "Namespace") -> bool:
    return arguments.stream in ("both", piece.stream)


def _write(text: str) -> None:
    sys.stdout.write(text)
