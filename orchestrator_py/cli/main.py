"""From words to calls, from errors to exit codes. No traceback reaches a user."""

import gc
import os
import signal
from argparse import Namespace
from collections.abc import Callable

from orchestrator_py.cli.arguments import asks_for_json, create_parser
from orchestrator_py.cli.console import TRACEBACK_VARIABLE, open_missing_streams, print_json, say
from orchestrator_py.cli.ending import die_by
from orchestrator_py.errors import OrchestratorError


def run_command_line(arguments: list[str]) -> int:
    """Run one command; the answer is the exit code."""
    open_missing_streams()
    try:
        parsed = create_parser().parse_args(arguments)
        return _import(parsed.command)(parsed)
    except OrchestratorError as error:
        return _tell_error(error, arguments)
    except KeyboardInterrupt:
        die_by(signal.SIGINT)
    except SystemExit as end:  # --help and --version
        return end.code if isinstance(end.code, int) else 0
    except Exception as error:  # the last boundary: our defect, told in a sentence
        return _tell_defect(error, arguments)


def _import(name: str) -> Callable[[Namespace], int]:
    """The command's function, imported with the garbage collector at rest: what an import makes stays."""
    gc.disable()
    try:
        return _command(name)
    finally:
        gc.freeze()
        gc.enable()


def _command(name: str) -> Callable[[Namespace], int]:
    """The command's function; imported only now, so that the others cost nothing."""
    if name == "run":
        from orchestrator_py.cli.run_command import run

        return run
    if name == "resume":
        from orchestrator_py.cli.run_command import resume

        return resume
    if name == "metrics":
        from orchestrator_py.cli.metrics_command import metrics

        return metrics
    from orchestrator_py.cli.plan_command import plan

    return plan


def _tell_error(error: OrchestratorError, arguments: list[str]) -> int:
    from orchestrator_py.cli.exit_codes import code_of_error

    return _tell(str(error), code_of_error(error), arguments)


def _tell_defect(error: Exception, arguments: list[str]) -> int:
    from orchestrator_py.cli.exit_codes import DEFECT

    if os.environ.get(TRACEBACK_VARIABLE):
        import traceback

        say(traceback.format_exc().rstrip())
    else:
        say(f"set {TRACEBACK_VARIABLE}=1 to see where it happened.")
    return _tell(f"a defect of this program ({type(error).__name__}: {error}); please report it.", DEFECT, arguments)


def _tell(message: str, code: int, arguments: list[str]) -> int:
    say(message)
    if asks_for_json(arguments):
        return print_json({"error": message, "exit_code": code}, code)
    return code
