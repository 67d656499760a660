"""`plan`: what would run, and nothing started."""

from argparse import Namespace

from orchestrator_py.cli.console import print_json, print_lines
from orchestrator_py.cli.plan_text import plan_data, plan_lines
from orchestrator_py.cli.workspace import open_workspace
from orchestrator_py.core.plan import create_plan


def plan(arguments: Namespace) -> int:
    """The exit code: a configuration that cannot run has raised before."""
    workspace = open_workspace(arguments)
    result = create_plan(workspace.pipeline, target=workspace.target)
    if arguments.format == "json":
        return print_json(plan_data(workspace.pipeline, result), 0)
    return print_lines(plan_lines(workspace.pipeline, result), 0)
