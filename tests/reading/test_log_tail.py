"""The end of a log, and what comes after it, make up the whole output, in whatever pieces it is written."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.reading.confined import refuse_outside
from orchestrator_py.reading.files import UnreadableError
from orchestrator_py.reading.log_tail import read_added, read_tail_of
from orchestrator_py.reading.stage_log import StageLog


def line(data: str) -> bytes:
    event = {"type": "exec:chunk", "stream": "stdout", "attempt": 1, "timestamp": "", "data": data}
    return json.dumps(event, separators=(",", ":")).encode() + b"\n"


def log_at(folder: Path) -> StageLog:
    return StageLog(stage="s", path=str(folder / "log"), sub_run_id="")


@given(texts=st.lists(st.text(max_size=20), max_size=12), cuts=st.lists(st.integers(0, 2000), max_size=6))
def test_however_the_file_grows_the_parts_are_the_whole(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], cuts: list[int]
) -> None:
    log, content = log_at(tmp_path_factory.mktemp("log")), b"".join(map(line, texts))
    read, end = "", 0
    for size in [*sorted(min(cut, len(content)) for cut in cuts), len(content)]:
        Path(log.path).write_bytes(content[:size])
        part = read_added(log, end, 1 << 20)
        if part is not None:
            assert not part.fresh
            read, end = read + "".join(piece.data for piece in part.pieces), part.end
    assert (read, end) == ("".join(texts), len(content))


@given(texts=st.lists(st.text(max_size=20), min_size=1, max_size=12), most=st.integers(1, 1000))
def test_a_tail_is_the_last_whole_lines_and_says_when_it_is_cut(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], most: int
) -> None:
    log, content = log_at(tmp_path_factory.mktemp("log")), b"".join(map(line, texts))
    Path(log.path).write_bytes(content)
    part = read_tail_of(log, most)
    kept = [piece.data for piece in part.pieces]
    assert kept == texts[len(texts) - len(kept) :]
    assert part.cut is (len(kept) < len(texts))
    if len(kept) < len(texts):
        assert len(b"".join(map(line, texts[len(texts) - len(kept) - 1 :]))) > most


def test_who_is_far_behind_or_finds_another_log_starts_anew_at_the_tail(tmp_path: Path) -> None:
    log = log_at(tmp_path)
    assert (read_tail_of(log, 100).pieces, read_added(log, 0, 100)) == ([], None)
    Path(log.path).write_bytes(line("x") * 100)
    behind = read_added(log, 0, 2 * len(line("x")))
    assert behind is not None
    assert (behind.fresh, behind.cut, len(behind.pieces)) == (True, True, 2)
    Path(log.path).write_bytes(line("new"))
    other = read_added(log, behind.end, 1000)
    assert other is not None
    assert (other.fresh, [piece.data for piece in other.pieces]) == (True, ["new"])
    assert read_added(log, other.end, 1000) is None


def test_a_path_is_inside_unless_a_link_on_the_way_leads_out(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "rootless"
    for folder in (root / "a", outside):
        folder.mkdir(parents=True)
    (root / "in").symlink_to(root / "a")
    (root / "out").symlink_to(outside)
    (root / "loop").symlink_to(root / "loop")
    for name in ("a", "in", "none/at/all", "."):
        refuse_outside(str(root), os.path.join(root, name))
    for name in ("out", "out/x", "../rootless", ".."):
        with pytest.raises(UnreadableError, match="leads out"):
            refuse_outside(str(root), os.path.join(root, name))
