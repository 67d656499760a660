"""`report --format html`: the report as one file for a browser."""

import os
from argparse import Namespace
from pathlib import Path

from orchestrator_py.cli.console import print_page
from orchestrator_py.cli.reading_place import find_place, now, say_unreadable
from orchestrator_py.pages.document import report_document
from orchestrator_py.reading.task_overview import read_overview
from orchestrator_py.store.files import replace_bytes

DETAILED = 4
"""The newest runs are told with their stages, so many of each task."""
STDOUT = "-"


def report_html(arguments: Namespace) -> int:
    """0, whatever stands there: what cannot be read is named on stderr and on the page. StoreError if the file cannot be written."""
    place, at = find_place(arguments), now()
    overviews = [
        read_overview(place.runs_root, place.out_root, task, last=arguments.last, detailed=DETAILED, now=at) for task in place.tasks
    ]
    say_unreadable(problem for one in overviews for problem in one.report.problems)
    document = report_document(overviews, now=at)
    if arguments.output in (None, STDOUT):
        return print_page(document, 0)
    replace_bytes(Path(os.path.abspath(arguments.output)), document.encode(), durable=False)
    return 0
