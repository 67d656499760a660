"""Calls that end without a verdict: a sentence on stderr, the answer in the format that was asked for, the exit code."""

import os
import signal
from collections.abc import Callable, Sequence

from orchestrator_py.cli.arguments import asked_command, asked_format
from orchestrator_py.cli.console import TRACEBACK_VARIABLE, print_json, print_json_text, say
from orchestrator_py.cli.ending import die_by
from orchestrator_py.errors import OrchestratorError

Answer = Callable[[str, int], int]
"""Gets the message and the exit code, puts the answer on stdout, and returns the code to end with."""


def tell_failure(error: Exception | KeyboardInterrupt, words: Sequence[str]) -> int:
    """What ended a call of these words before it had begun anything; an interrupt ends this process too."""
    answer = answer_to(words)
    if isinstance(error, KeyboardInterrupt):
        answer("interrupted before anything was started", 128 + signal.SIGINT)
        die_by(signal.SIGINT)
    return tell_error(error, answer) if isinstance(error, OrchestratorError) else tell_defect(error, answer)


def tell_error(error: OrchestratorError, answer: Answer) -> int:
    """An error that was raised on purpose, whose message ends in the remedy."""
    from orchestrator_py.cli.exit_codes import code_of_error

    say(str(error))
    return answer(str(error), code_of_error(error))


def tell_defect(error: Exception, answer: Answer) -> int:
    """Any other one: told in a sentence, its trace to who asks for it."""
    from orchestrator_py.cli.exit_codes import DEFECT

    if os.environ.get(TRACEBACK_VARIABLE):
        import traceback

        say("".join(traceback.format_exception(error)).rstrip())
    else:
        say(f"set {TRACEBACK_VARIABLE}=1 to see where it happened.")
    message = f"a defect of this program ({type(error).__name__}: {error}); please report it."
    say(message)
    return answer(message, DEFECT)


def answer_to(words: Sequence[str]) -> Answer:
    """For a call that has not begun anything yet, even if its words make no sense."""
    match asked_format(words):
        case "json":
            return _answer_in_json
        case "jsonl" if asked_command(words) in ("run", "resume"):
            return _answer_in_lines
        case _:
            return lambda _, code: code


def _answer_in_json(message: str, code: int) -> int:
    return print_json({"error": message, "exit_code": code}, code)


def _answer_in_lines(message: str, code: int) -> int:
    from orchestrator_py.app.system_clock import SystemClock
    from orchestrator_py.core.json_text import compact_json
    from orchestrator_py.core.run_stream import failed_call

    return print_json_text(f"{compact_json(failed_call(message, code, at=SystemClock().now()))}\n", code)
