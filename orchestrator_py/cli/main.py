"""From words to calls, from errors to exit codes. No traceback reaches a user."""

import gc
import os

from orchestrator_py.cli.arguments import parse_words
from orchestrator_py.cli.console import heed_workflow_commands, open_missing_streams, wait_for_slow_readers

TYPE_CHECKING = False  # type checkers read the names; who calls a command plainly is spared argparse
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable


def run_command_line(arguments: list[str]) -> int:
    """Run one command; the answer is the exit code."""
    open_missing_streams()
    wait_for_slow_readers()
    if os.environ.get("GITHUB_ACTIONS") == "true":
        heed_workflow_commands()
    try:
        parsed = parse_words(arguments)
        return _import(parsed.command)(parsed)
    except SystemExit as end:  # --help and --version
        return end.code if isinstance(end.code, int) else 0
    except (Exception, KeyboardInterrupt) as error:  # the last boundary
        from orchestrator_py.cli.failures import tell_failure  # most calls end well, and are spared the import

        return tell_failure(error, arguments)


def _import(name: str) -> "Callable[[Namespace], int]":
    """The command's function; the garbage collector, at rest since the start, has nothing to look for in what was imported."""
    try:
        return _command(name)
    finally:
        gc.freeze()
        gc.enable()


def _command(name: str) -> "Callable[[Namespace], int]":
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
    if name == "status":
        from orchestrator_py.cli.status_command import status

        return status
    if name == "runs":
        from orchestrator_py.cli.runs_command import runs

        return runs
    if name == "report":
        from orchestrator_py.cli.report_command import report

        return report
    if name == "logs":
        from orchestrator_py.cli.logs_command import logs

        return logs
    if name == "serve":
        from orchestrator_py.cli.serve_command import serve

        return serve
    if name == "init":
        from orchestrator_py.cli.init_command import init

        return init
    if name == "validate":
        from orchestrator_py.cli.validate_command import validate

        return validate
    if name == "schema":
        from orchestrator_py.cli.schema_command import schema

        return schema
    if name == "guard":
        from orchestrator_py.cli.guard_command import guard

        return guard
    if name == "review":
        from orchestrator_py.cli.review_command import review

        return review
    if name == "completion":
        from orchestrator_py.cli.completion_command import completion

        return completion
    from orchestrator_py.cli.plan_command import plan

    return plan
