"""An override, left for the run whose stage we are: it alone writes its manifest."""

import os
from collections.abc import Iterable

from orchestrator_py.core.places import APPROVALS_VARIABLE
from orchestrator_py.guards.finding import Report


def leave_approvals(reports: Iterable[Report]) -> None:
    """A line for each guard whose findings are waived. StoreError if it cannot be left: what is not on record is not waived."""
    waived = [report for report in reports if report.waived and report.findings]
    path = os.environ.get(APPROVALS_VARIABLE)
    if waived and path:
        _append(path, waived)


def _append(path: str, waived: Iterable[Report]) -> None:
    from pathlib import Path

    from orchestrator_py.app.system_clock import SystemClock
    from orchestrator_py.core.json_text import compact_json, encode_json
    from orchestrator_py.store.files import make_folders, open_file, telling, write_all

    file, now = Path(path), SystemClock().now()
    lines = (compact_json({"actor": report.guard, "timestamp": now, "reason": report.waived}) + "\n" for report in waived)
    make_folders(file.parent)
    with telling(file, "record the override in it"):
        descriptor = open_file(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            write_all(descriptor, encode_json("".join(lines)))
        finally:
            os.close(descriptor)
