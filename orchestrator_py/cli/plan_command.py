"""`plan`: what would run, and nothing started."""

from argparse import Namespace

from orchestrator_py.cli.render import plan_data, plan_lines
from orchestrator_py.cli.workspace import open_workspace
from orchestrator_py.core.json_text import pretty_json
from orchestrator_py.core.plan import create_plan


def plan(arguments: Namespace) -> int:
    """Always 0: a configuration that cannot run has raised before."""
    workspace = open_workspace(arguments)
    result = create_plan(workspace.pipeline, target=workspace.target)
    if arguments.format == "json":
        print(pretty_json(plan_data(workspace.pipeline, result)))
    else:
        print("\n".join(plan_lines(workspace.pipeline, result)))
    return 0
