"""Bytes of the journal that went bad after they were acknowledged: nothing behind them is cut off, and a rebuild keeps it."""

from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator_py.errors import StoreError
from orchestrator_py.store import owner
from orchestrator_py.store.audit import audit
from orchestrator_py.store.history import read_history
from orchestrator_py.store.journal import Batch, Journal, create_batch, find_batches, read_whole_batches
from orchestrator_py.store.layout import TaskLayout
from orchestrator_py.store.overview import read_overview
from orchestrator_py.store.rebuild import rebuild
from orchestrator_py.store.rollup_files import _seal, open_seal
from tests.durability.explorer import Mode, explore
from tests.store.entries import (
    TASK,
    all_files,
    assert_settled,
    entry,
    now,
    open_store,
    recorded,
    task_below,
    write_history,
)
from tests.store.faults import COUNTS_SYNCS

NAMES = "abcd"


@pytest.fixture
def task(tmp_path: Path) -> TaskLayout:
    """Four runs in a journal that nobody has recovered yet."""
    open_store(tmp_path).close()
    task = task_below(tmp_path)
    (task.pending / "b-0").write_bytes(journal())
    return task


def journal() -> bytes:
    start, content = 0, b""
    for name in NAMES:
        batch = create_batch(start=start, lines=entry(name).line + b"\n")
        start, content = batch.end, content + batch.data
    return content


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def starts() -> list[int]:
    return [place for place, _ in find_batches(journal())]


@pytest.mark.parametrize("batch", [0, 1, 2])
def test_a_bad_batch_with_whole_ones_behind_it_is_refused_and_nothing_is_touched(tmp_path: Path, task: TaskLayout, batch: int) -> None:
    place = starts()[batch]
    (task.pending / "b-0").write_bytes(flipped(journal(), place + 20))
    before = all_files(tmp_path)
    with pytest.raises(StoreError, match=rf"b-0: is damaged at byte {place}, and {3 - batch} whole .*metrics rebuild"):
        open_store(tmp_path)
    assert all_files(tmp_path) == before


def test_a_rebuild_keeps_what_stands_behind_the_bad_batch(tmp_path: Path, task: TaskLayout) -> None:
    (task.pending / "b-0").write_bytes(flipped(journal(), starts()[1] + 2))
    rebuilt = rebuild(task, now)
    assert set(recorded(task)) >= {"a", "c", "d"}
    assert [path.name.partition(".")[0] for path in rebuilt.set_aside] == ["b-0"]
    open_store(tmp_path).close()
    assert_settled(task)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, len(journal()) - 1), bit=st.integers(0, 7))
def test_whichever_bit_flips_no_batch_behind_it_is_lost(place: int, bit: int) -> None:
    content = bytearray(journal())
    content[place] ^= 1 << bit
    bad = max(number for number, start in enumerate(starts()) if start <= place)
    assert [batch.lines for _, batch in find_batches(bytes(content))] == [
        entry(name).line + b"\n" for number, name in enumerate(NAMES) if number != bad
    ]
    found: list[Batch] = []
    try:
        found += read_whole_batches(BytesIO(content), Path("b-0"))
    except StoreError:
        assert bad < len(NAMES) - 1
    else:
        assert bad == len(NAMES) - 1 == len(found), "it may have been torn"


def test_readers_refuse_to_leave_out_what_is_behind_and_an_audit_tells(tmp_path: Path, task: TaskLayout) -> None:
    (task.pending / "b-0").write_bytes(flipped(journal(), starts()[1] + 2))
    with pytest.raises(StoreError, match="b-0: is damaged at byte"):
        list(read_history(task))
    assert len(list(read_history(task, damaged=True))) == 1
    told = [(finding.path, finding.problem) for finding in audit(task).findings]
    damage = (f".runs/{TASK}/metrics.pending/b-0", "it is damaged here, and 2 whole batches follow")
    assert damage in told
    assert [(finding.path, finding.problem) for finding in read_overview(task).unreadable] == [damage]


def test_the_rest_of_a_longer_torn_batch_behind_a_new_one_is_no_damage(tmp_path: Path, task: TaskLayout) -> None:
    torn = create_batch(start=0, lines=b"".join(entry(f"torn {number}").line + b"\n" for number in range(9))).data
    (task.pending / "b-0").write_bytes(b"\0" * 300 + torn[300:])
    short = create_batch(start=0, lines=entry("a").line + b"\n")
    with (task.pending / "b-0").open("r+b") as segment:
        segment.write(short.data)
    open_store(tmp_path).close()
    assert recorded(task) == ["a"]


def test_a_batch_that_becomes_whole_while_it_is_read_is_no_damage() -> None:
    """A reader without the lock met it half written, and its successor whole."""
    whole, half = journal(), bytearray(journal())
    half[starts()[1] + 10 : starts()[2]] = bytes(starts()[2] - starts()[1] - 10)

    class Growing(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            found = super().read(size)
            self.getbuffer()[:] = whole
            return found

    assert len(list(read_whole_batches(Growing(half), Path("b-0")))) == 4


# What the rollup state knows of the journal ------------------------------------------------------------------------


@pytest.fixture
def left(tmp_path: Path) -> TaskLayout:
    """A large history and a journal behind it, left by an owner who closed."""
    task = task_below(tmp_path)
    lines = owner.SMALL_HISTORY_BYTES // 100_000 + 1
    write_history(task, b"".join(entry(f"old-{number}", padding=100_000).line + b"\n" for number in range(lines)))
    store = open_store(tmp_path)
    for name in NAMES:
        store.commit([entry(name)])
    store.close()
    assert [path.name for path in task.pending.iterdir()] == [f"b-{task.metrics.stat().st_size}"]
    return task


def segment_of(task: TaskLayout) -> Path:
    (segment,) = task.pending.iterdir()
    return segment


def test_a_journal_that_was_left_goes_on_and_counts(tmp_path: Path, left: TaskLayout) -> None:
    for name in "ef":
        store = open_store(tmp_path)
        store.commit([entry(name)])
        store.close()
        assert_settled(left)
    assert recorded(left)[-6:] == list("abcdef")
    open_store(tmp_path).flush()
    assert recorded(left)[-6:] == list("abcdef")
    assert list(left.pending.iterdir()) == []


@pytest.mark.parametrize("loss", ["gone", "cut off", "shorter"])
def test_an_acknowledged_end_of_the_journal_that_is_missing_is_named(tmp_path: Path, left: TaskLayout, loss: str) -> None:
    """A last batch that is torn was never acknowledged, but this one the rollup state holds."""
    segment = segment_of(left)
    match loss:
        case "gone":
            segment.unlink()
        case "cut off":
            segment.write_bytes(segment.read_bytes()[:-9])
        case "shorter":
            segment.write_bytes(segment.read_bytes()[: -len(create_batch(start=300_000, lines=entry("d").line + b"\n").data)])
    before = all_files(tmp_path)
    with pytest.raises(StoreError, match=r"b-[0-9]+: (is gone|was cut off or is damaged); .* on record.*metrics rebuild"):
        open_store(tmp_path)
    assert all_files(tmp_path) == before
    rebuild(left, now)
    open_store(tmp_path).close()
    assert_settled(left)


def test_damage_in_what_was_left_stops_the_fold_and_nothing_goes(tmp_path: Path, left: TaskLayout) -> None:
    segment = segment_of(left)
    segment.write_bytes(flipped(segment.read_bytes(), 30))
    store = open_store(tmp_path)
    before = segment.read_bytes()
    with pytest.raises(StoreError, match=r"damaged at byte 0, and 3 whole batches of entries follow.*metrics rebuild"):
        store.flush()
    assert segment.read_bytes() == before
    rebuild(left, now)
    assert set(recorded(left)) >= set("bcd")


def test_a_state_of_an_earlier_version_without_the_mark_is_made_again(tmp_path: Path, left: TaskLayout) -> None:
    match open_seal(left.rollup_state.read_bytes()):
        case {"end": end, "stamp": stamp, "rollup": rollup}:
            left.rollup_state.write_bytes(_seal({"end": end, "stamp": stamp, "rollup": rollup}))
    open_store(tmp_path).close()
    assert recorded(left)[-4:] == list(NAMES)
    assert_settled(left)


def never(self: owner.Owner, *, idle: bool) -> bool:
    return False


@COUNTS_SYNCS
@pytest.mark.parametrize("mode", Mode)
def test_no_crash_state_of_a_journal_that_is_left_breaks_a_promise(mode: Mode, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with a large history: only a failed append folds."""
    monkeypatch.setattr(owner.Owner, "_fold_is_due", never)
    assert explore(mode, distinct=300).violations == []


@COUNTS_SYNCS
def test_the_explorer_finds_a_state_that_forgets_queue_files_too_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner.Owner, "_fold_is_due", never)
    monkeypatch.setattr(Journal, "settle", lambda self: None)
    assert explore(Mode.POWER, distinct=1500).violations
