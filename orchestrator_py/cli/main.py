"""From words to calls, from errors to exit codes. No traceback reaches a user."""

import os
import signal
import sys
import traceback
from argparse import Namespace
from collections.abc import Callable

from orchestrator_py.cli.arguments import create_parser
from orchestrator_py.cli.ending import die_by
from orchestrator_py.errors import OrchestratorError

TRACEBACK_VARIABLE = "ORCHESTRATOR_PY_TRACEBACK"


def run_command_line(arguments: list[str]) -> int:
    """Run one command; the answer is the exit code. argparse itself ends a wrong call with code 2."""
    parsed = create_parser().parse_args(arguments)
    try:
        code = _command(parsed.command)(parsed)
        sys.stdout.flush()
    except OrchestratorError as error:
        return _tell(error, parsed.format)
    except BrokenPipeError:  # whoever read our output has had enough of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        die_by(signal.SIGINT)
    except Exception as error:  # the last boundary: our defect, told in a sentence
        return _tell_defect(error)
    return code


def _command(name: str) -> Callable[[Namespace], int]:
    """The command's function; imported only now, so that the others cost nothing."""
    if name == "run":
        from orchestrator_py.cli.run_command import run

        return run
    from orchestrator_py.cli.plan_command import plan

    return plan


def _tell(error: OrchestratorError, output_format: str) -> int:
    from orchestrator_py.cli.exit_codes import code_of_error

    code = code_of_error(error)
    print(f"orchestrator-py: {error}", file=sys.stderr)
    if output_format == "json":
        from orchestrator_py.core.json_text import pretty_json

        print(pretty_json({"error": str(error), "exit_code": code}))
    return code


def _tell_defect(error: Exception) -> int:
    from orchestrator_py.cli.exit_codes import DEFECT

    print(f"orchestrator-py: a defect of this program ({type(error).__name__}: {error}); please report it.", file=sys.stderr)
    if os.environ.get(TRACEBACK_VARIABLE):
        traceback.print_exc()
    else:
        print(f"Set {TRACEBACK_VARIABLE}=1 to see where it happened.", file=sys.stderr)
    return DEFECT
