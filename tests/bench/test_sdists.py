"""A package is unpacked, made a repository, and guarded; what is found is told line by line."""

import tarfile
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.sdists import guard_archive


def test_what_the_guards_find_in_a_package_is_told(tmp_path: Path) -> None:
    source = tmp_path / "source" / "thing-1.0"
    (source / "src").mkdir(parents=True)
    (source / "src" / "a.py").write_text("1\n")
    (source / "README.md").write_text("[a](no.md)\n")
    archive = tmp_path / "thing-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(source, "thing-1.0")
    head, *found = guard_archive(archive, tmp_path)
    assert head.startswith("thing-1.0.tar.gz: 2 files, ")
    assert head.endswith(" ms, doc-link 1, spec-missing 1")
    assert found[1] == "  README.md:1 doc-link: the link leads to no.md, which does not exist"


def test_what_is_no_archive_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "thing-1.0.tar.gz").write_text("nothing")
    with pytest.raises(BenchError, match="no archive"):
        list(guard_archive(tmp_path / "thing-1.0.tar.gz", tmp_path))
