"""The end of a history is read from its end: the same lines as from its beginning, at the same cost however long it is."""

import json
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator_py.core.rollup import rollup_of_history
from orchestrator_py.dashboard.record import Record
from orchestrator_py.ids import TaskId
from orchestrator_py.reading import history_tail
from orchestrator_py.reading.files import OpenFile, UnreadableError, lines_backwards
from orchestrator_py.reading.history_tail import read_tail
from orchestrator_py.reading.task_report import read_report
from orchestrator_py.store.history import read_history
from orchestrator_py.store.layout import Layout
from orchestrator_py.store.queue import enqueue
from tests.reading.records import entry_line, stage, timed_id, write_run, write_segment
from tests.store.entries import NOW, entry, open_store, task_below


def run_ids(folder: Path, most: int) -> list[object]:
    return [found["run_id"] for found in read_tail(str(folder), most).entries]


@given(content=st.binary(max_size=300).map(lambda data: data.replace(b"\x00", b"\n")), size=st.integers(min_value=1, max_value=40))
@settings(max_examples=200)
def test_lines_backwards_are_the_lines_forwards(tmp_path_factory: pytest.TempPathFactory, content: bytes, size: int) -> None:
    path = tmp_path_factory.mktemp("lines") / "file"
    path.write_bytes(content)
    with OpenFile(str(path)) as file:
        found = list(lines_backwards(file, len(content), size))
    expected = content.removesuffix(b"\n").split(b"\n") if content else []
    assert [line for _, line in reversed(found)] == expected
    assert all(content[place : place + len(line)] == line for place, line in found)


@given(
    folded=st.integers(min_value=0, max_value=4),
    batches=st.lists(st.integers(min_value=0, max_value=3), max_size=5),
    torn=st.integers(min_value=0, max_value=200),
    most=st.integers(min_value=1, max_value=20),
)
@settings(max_examples=100, deadline=None)
def test_the_newest_entries_are_the_last_of_history_and_journal(
    tmp_path_factory: pytest.TempPathFactory, folded: int, batches: list[int], torn: int, most: int
) -> None:
    task = Layout.below(tmp_path_factory.mktemp("task")).task(TaskId("t"))
    task.folder.mkdir(parents=True)
    names = iter(f"r{number}" for number in range(100))
    history = b"".join(entry_line(next(names)) for _ in range(folded))
    task.metrics.write_bytes(history)
    groups = [b"".join(entry_line(next(names)) for _ in range(count)) for count in batches]
    segment = write_segment(task.folder, len(history), groups)
    with segment.open("ab") as file:
        file.write((entry_line("torn") * 5)[:torn])
    forwards = [json.loads(line)["run_id"] for line in read_history(task)]
    assert run_ids(task.folder, most) == forwards[::-1][:most]


def test_a_batch_that_has_been_folded_is_not_told_twice(tmp_path: Path) -> None:
    lines = entry_line("a") + entry_line("b")
    write_segment(tmp_path, 0, [lines])
    (tmp_path / "metrics.json").write_bytes(lines)
    assert run_ids(tmp_path, 9) == ["b", "a"]


def test_what_the_store_has_committed_and_what_waits_in_the_queue_are_the_newest(tmp_path: Path) -> None:
    task = task_below(tmp_path)
    owner = open_store(tmp_path)
    owner.commit([entry("a"), entry("b")])
    owner.commit([entry("c")])
    enqueue(task.pending, [entry("queued")])
    assert run_ids(task.folder, 3) == ["queued", "c", "b"]
    owner.close()


@pytest.mark.parametrize("folding", [True, False])
@pytest.mark.parametrize("moment", range(7))
def test_an_entry_is_told_while_an_owner_takes_it_from_the_queue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int, folding: bool
) -> None:
    """Whenever that is: before each look at a folder and before each file that is opened."""
    task, looks = task_below(tmp_path), 0
    owner = open_store(tmp_path)
    owner.commit([entry("recorded")])
    enqueue(task.pending, [entry("queued")])

    def looking(real: Callable[[str], object]) -> Callable[[str], object]:
        def look(path: str) -> object:
            nonlocal looks
            looks += 1
            if looks == moment + 1:
                assert owner._owner is not None
                owner._owner.absorb()
                if folding:
                    owner.flush()
            return real(path)

        return look

    for name in ("list_names", "OpenFile"):
        monkeypatch.setattr(history_tail, name, looking(getattr(history_tail, name)))
    assert run_ids(task.folder, 9) == ["queued", "recorded"]
    owner.close()


@given(runs=st.lists(st.sampled_from("abcd"), max_size=8), most=st.integers(min_value=1, max_value=6))
@settings(max_examples=50, deadline=None)
def test_a_run_that_waits_in_the_queue_twice_hides_no_other(tmp_path_factory: pytest.TempPathFactory, runs: list[str], most: int) -> None:
    """What the queue will come to when it is settled is what is told of it before."""
    task = task_below(tmp_path_factory.mktemp("task"))
    task.pending.mkdir(parents=True)
    task.metrics.write_bytes(entry_line("old"))
    for number, name in enumerate(runs):
        (task.pending / f"{number:020d}-x.repeated.jsonl").write_bytes(entry_line(name, seconds=number))
    expected = list(dict.fromkeys([*reversed(runs), "old"]))[:most]
    assert run_ids(task.folder, most) == expected


def test_no_more_queue_files_are_read_than_are_wanted(tmp_path: Path) -> None:
    task = task_below(tmp_path)
    task.pending.mkdir(parents=True)
    enqueue(task.pending, [entry("a")])
    (task.pending / "0.jsonl").mkdir()  # the oldest, and none that could be read
    assert run_ids(task.folder, 1) == ["a"]


def test_a_run_counts_once_with_its_last_outcome(tmp_path: Path) -> None:
    lines = [entry_line("a", status="failed"), entry_line("b"), b"no json\n", b"\n", entry_line("a")]
    (tmp_path / "metrics.json").write_bytes(b"".join(lines))
    tail = read_tail(str(tmp_path), 9)
    assert [(found["run_id"], found["status"]) for found in tail.entries] == [("a", "succeeded"), ("b", "succeeded")]
    assert tail.unreadable == 1


def test_damage_in_the_journal_hides_no_batch_behind_it(tmp_path: Path) -> None:
    segment = write_segment(tmp_path, 0, [entry_line("a"), entry_line("b"), entry_line("c")])
    content = bytearray(segment.read_bytes())
    content[content.index(b'"b"') + 1] ^= 1
    segment.write_bytes(content)
    assert run_ids(tmp_path, 9) == ["c", "a"]


@given(
    sizes=st.lists(st.integers(min_value=0, max_value=3), min_size=1, max_size=5),
    place=st.integers(min_value=0),
    folded=st.integers(min_value=0, max_value=4),
    most=st.integers(min_value=1, max_value=12),
)
@settings(max_examples=200, deadline=None)
def test_entries_that_damage_in_the_journal_hides_are_never_passed_in_silence(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], place: int, folded: int, most: int
) -> None:
    """Whichever byte of which batch is bad; `folded` batches stand in the history too."""
    folder, names = tmp_path_factory.mktemp("task"), iter("abcdefghijklmno")
    batches = [[entry_line(next(names)) for _ in range(size)] for size in sizes]
    segment = write_segment(folder, 0, [b"".join(lines) for lines in batches])
    (folder / "metrics.json").write_bytes(b"".join(line for lines in batches[:folded] for line in lines))
    content = bytearray(segment.read_bytes())
    place %= len(content)
    bad = sum(found.end() <= place for found in re.finditer(rb"^#.*\n", content, re.MULTILINE))
    content[place] ^= 1
    segment.write_bytes(content)
    hidden = bad >= folded and bool(batches[bad])
    told = [json.loads(line) for number, lines in enumerate(batches) if number != bad or not hidden for line in lines]
    behind = sum(sizes[bad + 1 :])
    torn = bad == len(sizes) - 1
    tail = read_tail(str(folder), most)
    assert tail.entries == told[::-1][:most]
    assert [problem.path for problem in tail.problems] == [str(segment)] * (hidden and not torn and behind < most)


def test_a_report_names_the_journal_that_is_damaged_and_the_remedy(tmp_path: Path) -> None:
    segment = write_segment(tmp_path / "t", 0, [entry_line("a"), entry_line("b"), entry_line("c")])
    content = segment.read_bytes()
    place = content.index(b'{"run_id": "b"')
    segment.write_bytes(content.replace(b'"b"', b'"x"'))
    report = read_report(str(tmp_path), "t", 2)
    assert [run_id for run_id, _ in report.outcomes] == ["a", "c"]
    assert [str(problem) for problem in report.problems] == [
        f"{segment}: is damaged at byte {place}, and whole batches of entries follow; "
        "put an undamaged copy back, or keep what can be read with `orchestrator-py metrics rebuild`."
    ]
    found: list[UnreadableError] = []
    Record(str(tmp_path), str(tmp_path)).tail("t", found)
    assert [str(problem) for problem in found] == [str(problem) for problem in report.problems]


def test_a_journal_of_a_newer_version_is_named(tmp_path: Path) -> None:
    segment = write_segment(tmp_path, 0, [])
    segment.write_bytes(b'#00000000 {"version":99,"start":0,"bytes":0}\n')
    with pytest.raises(UnreadableError, match=r"newer version of orchestrator-py \(format 99\); upgrade orchestrator-py"):
        read_tail(str(tmp_path), 9)


# The cost ----------------------------------------------------------------------------------------------------------


def bytes_read(work: Callable[[], object]) -> int:
    """By this process, as the kernel counts them."""

    def count() -> int:
        return int(Path("/proc/self/io").read_text().split()[1])

    own = -count() + count()
    before = count()
    work()
    return count() - before - own


def long_record(root: Path, runs: int) -> Path:
    """So many runs: most in the history, an eighth in the journal; manifests of the newest."""
    folder = root / "t"
    folder.mkdir(parents=True)
    lines = [entry_line(timed_id(number), padding=400) for number in range(runs)]
    history, journal = lines[: -runs // 8], lines[-runs // 8 :]
    (folder / "metrics.json").write_bytes(b"".join(history))
    write_segment(folder, len(b"".join(history)), journal)
    for number in range(runs - 20, runs):
        write_run(root, timed_id(number), stage("a"))
    return root


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts the bytes that a process reads")
def test_a_report_over_100_000_runs_reads_as_much_as_one_over_1_000(tmp_path: Path) -> None:
    few, many = (long_record(tmp_path / str(runs), runs) for runs in (1_000, 100_000))
    costs = [bytes_read(partial(read_report, str(root), "t", 20)) for root in (few, many)]
    assert 0 < costs[1] <= 1.1 * costs[0]
    report = read_report(str(many), "t", 20)
    assert [run_id for run_id, _ in report.outcomes] == [timed_id(number) for number in range(100_000 - 20, 100_000)]
    assert costs[0] < (few / "t" / "metrics.json").stat().st_size


def test_the_totals_of_a_report_are_those_of_the_rollups(tmp_path: Path) -> None:
    owner = open_store(tmp_path)
    owner.commit([entry("a"), entry("b", status="failed")])
    owner.close()
    task = task_below(tmp_path)
    report = read_report(str(tmp_path / ".runs"), str(task.task_id), 1)
    totals = rollup_of_history(read_history(task)).documents(baseline=None, updated_at=NOW).post_rollout
    assert totals is not None
    assert (report.totals["total_runs"], report.totals["succeeded_runs"]) == (totals.total_runs, totals.succeeded_runs) == (2, 1)
    assert report.outcomes == [("b", "failed")]
