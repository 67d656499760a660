"""Words for what a run leaves for other programs: events, test reports, the log of a workflow."""

TYPE_CHECKING = False  # type checkers read the name; who calls a command plainly is spared argparse
if TYPE_CHECKING:
    from argparse import ArgumentParser

RUN_FORMATS = ("text", "json", "jsonl")


def add_outputs(run: "ArgumentParser") -> None:
    """For commands that run something."""
    run.add_argument(
        "--stream-logs",
        action="store_true",
        help="what the stages print is among the events too (CODEX_ORCHESTRATOR_EMIT_COMMAND_STREAMS=1)",
    )
    run.add_argument("--junit-xml", metavar="FILE", help="write the stages as test cases to this file when the run has ended")
    run.add_argument(
        "--github",
        action="boolean",
        default=None,
        help="annotations and a step summary for a GitHub workflow (default: if GITHUB_ACTIONS=true)",
    )
