"""The files of single runs, as an aggregator writes them for as long as its program lives."""

import errno
import os
import shutil
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import define

from orchestrator_py.errors import StoreError
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


KINDS = list(DocumentKind)


def _document(kind: DocumentKind) -> RunDocument:
    return RunDocument(kind=kind, run_id=RunId("nightly"), content=b"{}", name="01-build.json")


def _links(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir() or path.is_symlink())


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_that_a_prune_took_away_is_made_again(tmp_path: Path, kind: DocumentKind) -> None:
    layout = Layout.below(tmp_path)
    files = DiskRunFiles(layout, TASK)
    files.write([_document(kind)])
    written = _links(tmp_path)
    for folder in (layout.runs_root / "local-mcp", *layout.task(TASK).folder.iterdir()):
        shutil.rmtree(folder, ignore_errors=True)
    files.write([_document(kind)])
    assert _links(tmp_path) == written


def test_a_file_system_without_links_goes_without_them_and_any_other_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout, answer = Layout.below(tmp_path), errno.EPERM

    def refuse(*_: object, **__: object) -> None:
        raise OSError(answer, os.strerror(answer))

    monkeypatch.setattr(os, "symlink", refuse)
    files = DiskRunFiles(layout, TASK)
    files.write([_document(DocumentKind.POINTER)])
    assert layout.task(TASK).mcp_pointer(RunId("nightly")).read_bytes() == b"{}"
    answer = errno.ENOSPC
    with pytest.raises(StoreError, match=r"local-mcp.*No space left"):
        files.write([_document(DocumentKind.POINTER)])


@define
class Going:
    """Its folder goes while it is written, so many times."""

    folder: Path
    times: int

    def pieces(self) -> Iterator[bytes]:
        if self.times:
            self.times -= 1
            shutil.rmtree(self.folder)
        yield b"{}"


@pytest.mark.parametrize("times", [0, 1, 2])
def test_a_folder_may_go_while_a_file_of_it_is_written_but_not_again_and_again(tmp_path: Path, times: int) -> None:
    run = Layout.below(tmp_path).task(TASK).embedded_run(RunId("nightly"))
    document = RunDocument(kind=DocumentKind.EMBEDDED_SUMMARY, run_id=RunId("nightly"), content=Going(run.folder, times))
    files = DiskRunFiles(Layout.below(tmp_path), TASK)
    if times == 2:
        with pytest.raises(StoreError, match=r"nightly.*put the folder back"):
            files.write([document])
    else:
        files.write([document])
        assert run.manifest.read_bytes() == b"{}"


def test_a_task_whose_folder_went_is_not_made_again_for_a_run_that_it_had(tmp_path: Path) -> None:
    layout = Layout.below(tmp_path)
    files = DiskRunFiles(layout, TASK)
    files.write([_document(DocumentKind.MANIFEST)])
    layout.task(TASK).folder.rename(tmp_path / "aside")
    with pytest.raises(StoreError, match="put the folder back"):
        files.write([_document(DocumentKind.MANIFEST)])
    assert not layout.task(TASK).folder.exists()
