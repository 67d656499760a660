"""The commands there are, what each does in a few words, and where its words are declared: who asks for one imports no other's."""

TYPE_CHECKING = False  # type checkers read the name; who calls a command plainly is spared argparse
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable

    Declare = Callable[[ArgumentParser], None]
    """Adds the words of a command to its parser."""

COMMANDS = {
    "run": "run a pipeline and leave its report",
    "resume": "run again what did not succeed of an earlier run",
    "plan": "show what would run, and start nothing",
    "status": "tell where a run stands",
    "runs": "list runs, the newest first",
    "report": "tell how the newest runs went",
    "logs": "print the output of a run's stages",
    "serve": "show runs in a browser, live",
    "init": "write a configuration to start from",
    "validate": "check the configuration",
    "schema": "print the JSON Schema of the configuration",
    "completion": "print a completion script",
    "metrics": "show, check, mend and prune what is on record",
    "guard": "check specifications, documents and the size of a change",
    "review": "hand a change and the record of its run to a reviewer",
}


def declaration_of(name: str) -> "Declare":
    """What declares the words of a command."""
    match name:
        case "run" | "resume" | "plan":
            from orchestrator_py.cli import run_arguments

            return {"run": run_arguments.add_run, "resume": run_arguments.add_resume, "plan": run_arguments.add_plan}[name]
        case "status" | "runs" | "report" | "logs":
            from orchestrator_py.cli import reading_arguments as reading

            return {"status": reading.add_status, "runs": reading.add_runs, "report": reading.add_report, "logs": reading.add_logs}[name]
        case "serve":
            from orchestrator_py.cli.serve_arguments import add_serve

            return add_serve
        case "metrics":
            from orchestrator_py.cli.metrics_arguments import add_metrics

            return add_metrics
        case "guard":
            from orchestrator_py.cli.guard_arguments import add_guard

            return add_guard
        case "review":
            from orchestrator_py.cli.review_arguments import add_review

            return add_review
    from orchestrator_py.cli import configuration_arguments as others

    return {"init": others.add_init, "validate": others.add_validate, "schema": others.add_schema, "completion": others.add_completion}[
        name
    ]
