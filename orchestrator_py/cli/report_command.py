"""`report`: how the newest runs of each task went."""

from orchestrator_py.cli.console import print_json, print_lines
from orchestrator_py.cli.reading_place import find_place, say_unreadable
from orchestrator_py.cli.report_data import report_data
from orchestrator_py.errors import InputError
from orchestrator_py.reading.task_report import read_report

TYPE_CHECKING = False  # type checkers read the name; who calls a command plainly is spared argparse
if TYPE_CHECKING:
    from argparse import Namespace


def report(arguments: "Namespace") -> int:
    """0, whatever stands there: what cannot be read is named on stderr."""
    if arguments.format == "html":
        from orchestrator_py.cli.report_html import report_html

        return report_html(arguments)
    if arguments.output is not None:
        raise InputError(f"-o {arguments.output}: only --format html goes to a file; add it, or redirect stdout.")
    place = find_place(arguments)
    reports = [read_report(place.runs_root, task, arguments.last) for task in place.tasks]
    say_unreadable(problem for one in reports for problem in one.problems)
    if arguments.format == "json":
        return print_json({"tasks": [report_data(one) for one in reports]}, 0)
    from orchestrator_py.cli.report_text import report_lines, report_markdown  # data for programs needs no words

    if arguments.format == "markdown":
        return print_lines([line for text in report_markdown(reports) for line in text.split("\n")], 0)
    return print_lines([line for one in reports for line in report_lines(one)], 0)
