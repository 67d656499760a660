"""The files of single runs, as an aggregator writes them for as long as its program lives."""

import tracemalloc
from pathlib import Path

from orchestrator_py.ids import RunId
from orchestrator_py.model.document import DocumentKind, RunDocument
from orchestrator_py.store.layout import Layout
from orchestrator_py.store.run_files import MOST_KNOWN_FOLDERS, DiskRunFiles
from tests.store.entries import TASK


def _summary(number: int) -> RunDocument:
    return RunDocument(kind=DocumentKind.EMBEDDED_SUMMARY, run_id=RunId(f"run-{number}"), content=b"{}")


def test_every_document_stands_in_the_folder_of_its_run(tmp_path: Path) -> None:
    layout = Layout.below(tmp_path)
    files = DiskRunFiles(layout, TASK)
    runs = range(2 * MOST_KNOWN_FOLDERS + 1)
    for _ in range(2):
        files.write([_summary(number) for number in runs])
    written = [layout.task(TASK).embedded_run(RunId(f"run-{number}")).manifest for number in runs]
    assert [path.read_bytes() for path in written] == [b"{}"] * len(runs)


def test_a_thousand_runs_of_one_program_need_hardly_more_memory_than_a_hundred(tmp_path: Path) -> None:
    files = DiskRunFiles(Layout.below(tmp_path), TASK)
    files.write([_summary(number) for number in range(MOST_KNOWN_FOLDERS)])
    tracemalloc.start()
    try:
        for number in range(1000):
            files.write([_summary(number)])
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown < 100_000, "a folder that was made takes up 450 bytes"
