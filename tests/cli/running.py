"""The command line as a real process, and what it leaves on disk."""

import json
import os
import select
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import define, field, frozen

PROJECT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60.0
_PREFIXES = ("CODEX_ORCHESTRATOR_", "TFGRPO_", "ORCHESTRATOR_PY_", "OTEL_")
_NAMES = ("MCP_RUNNER_TASK_ID", "FEATURE_TFGRPO_GROUP", "PYTHONUNBUFFERED", "TRACEPARENT", "TRACESTATE")

NOTHING: Mapping[str, str] = {}

Data = dict[str, object]

LEADING_KEYS = ("run_id", "status", "outcome", "artifact_root", "manifest", "log_path", "run_summary")


# Configurations ----------------------------------------------------------------------------------------------------


def command(stage_id: str, shell: str, **more: object) -> Data:
    return {"kind": "command", "id": stage_id, "command": shell, **more}


def subpipeline(stage_id: str, pipeline: str, **more: object) -> Data:
    return {"kind": "subpipeline", "id": stage_id, "pipeline": pipeline, **more}


def pipeline(pipeline_id: str, *stages: Data, **more: object) -> Data:
    return {"id": pipeline_id, "stages": list(stages), **more}


def configure(folder: Path, *pipelines: Data, **more: object) -> Path:
    """The first pipeline is the default."""
    file = folder / "codex.orchestrator.json"
    file.write_text(json.dumps({"pipelines": pipelines, "defaultPipeline": pipelines[0]["id"], **more}))
    return file


def configure_stages(folder: Path, *stages: Data, **more: object) -> Path:
    """One pipeline, `p`."""
    return configure(folder, pipeline("p", *stages, **more))


# Processes ---------------------------------------------------------------------------------------------------------


@frozen
class Finished:
    """How a process ended; a negative code is a signal."""

    code: int
    stdout: str
    stderr: str

    def document(self) -> Data:
        """The whole of stdout as one JSON document."""
        return as_object(json.loads(self.stdout))


def environment(variables: Mapping[str, str] = NOTHING) -> dict[str, str]:
    """Ours, without what the command line itself reads."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_PREFIXES) and name not in _NAMES}
    return {**kept, "PYTHONPATH": str(PROJECT), **variables}


def words(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "orchestrator_py", *arguments]


def start(
    folder: Path, *arguments: str, ignoring: Sequence[signal.Signals] = (), variables: Mapping[str, str] = NOTHING
) -> "subprocess.Popen[str]":
    return start_words(folder, words(*arguments), ignoring=ignoring, variables=variables)


def start_words(
    folder: Path, line: Sequence[str], *, ignoring: Sequence[signal.Signals] = (), variables: Mapping[str, str] = NOTHING
) -> "subprocess.Popen[str]":
    """In a session of its own; signals are ignored or not whatever our own parent does."""

    def set_signals() -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_IGN if number in ignoring else signal.SIG_DFL)

    return subprocess.Popen(
        line,
        cwd=folder,
        env=environment(variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=set_signals,
        start_new_session=True,
    )


def finish(process: "subprocess.Popen[str]") -> Finished:
    stdout, stderr = process.communicate(timeout=PATIENCE_SECONDS)
    return Finished(process.returncode, stdout, stderr)


def run(folder: Path, *arguments: str, variables: Mapping[str, str] = NOTHING) -> Finished:
    return finish(start(folder, *arguments, variables=variables))


def run_all(folder: Path, count: int, *arguments: str) -> list[Finished]:
    """So many at once."""
    return [finish(process) for process in [start(folder, *arguments) for _ in range(count)]]


def wait_for_line(process: "subprocess.Popen[str]", part: str) -> None:
    """Reads stderr until a line holds the text."""
    assert process.stderr is not None
    lines = []
    while line := process.stderr.readline():
        lines.append(line)
        if part in line:
            return
    raise AssertionError(f"{part!r} was not said, but {lines}")


@define
class Fifo:
    """Stages write words to it."""

    path: Path
    _descriptor: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        os.mkfifo(self.path)
        self._descriptor = os.open(self.path, self._flags() | os.O_NONBLOCK)

    def __del__(self) -> None:
        os.close(self._descriptor)

    def _flags(self) -> int:
        return os.O_RDWR  # we hold it open, so that it has no end

    def wait_for(self, word: str) -> None:
        """The next thing that is written is this word."""
        self._wait(select.POLLIN)
        found = os.read(self._descriptor, 4096).decode().split()
        assert found == [word]

    def _wait(self, wanted: int) -> None:
        poll = select.poll()
        poll.register(self._descriptor, wanted)
        assert poll.poll(PATIENCE_SECONDS * 1000), f"nothing happened at {self.path.name}"


@define
class Hold(Fifo):
    """Stages, and what they start, hold it open as long as they live."""

    def _flags(self) -> int:
        return os.O_RDONLY

    def wait_until_let_go(self) -> None:
        """All who ever opened it have ended."""
        self._wait(select.POLLHUP)


# What is left on disk ----------------------------------------------------------------------------------------------


def as_object(value: object) -> Data:
    assert isinstance(value, dict)
    return value


def as_list(value: object) -> list[Data]:
    assert isinstance(value, list)
    return value


def read_object(path: Path) -> Data:
    return as_object(json.loads(path.read_bytes()))


@frozen
class Record:
    """Everything that tells how one run went."""

    folder: Path
    manifest: Data
    summary: Data
    entry: Data

    @property
    def commands(self) -> dict[str, Data]:
        return {str(stage["id"]): stage for stage in as_list(self.manifest["commands"])}

    @property
    def statuses(self) -> dict[str, object]:
        return {stage_id: stage["status"] for stage_id, stage in self.commands.items()}


def entries(folder: Path, task: str = "0101") -> list[Data]:
    """The lines of the history."""
    return [as_object(json.loads(line)) for line in (folder / ".runs" / task / "metrics.json").read_text().splitlines()]


def last_entries(folder: Path, task: str = "0101") -> dict[str, Data]:
    """A run that was resumed has a line for each time that it ended; the last one counts."""
    return {str(entry["run_id"]): entry for entry in entries(folder, task)}


def records(folder: Path, task: str = "0101") -> list[Record]:
    """Of all runs of a task, in the order in which they were recorded: a line for each, and one more for each time it was resumed."""
    lines = Counter(str(entry["run_id"]) for entry in entries(folder, task))
    known = last_entries(folder, task)
    runs = folder / ".runs" / task / "cli"
    assert {path.name for path in runs.iterdir()} == set(known)
    found = [_record(runs / run_id, entry) for run_id, entry in known.items()]
    for record in found:
        assert lines[record.folder.name] <= 1 + len(as_list(record.manifest["resume_events"]))
    return found


def only_record(folder: Path, task: str = "0101") -> Record:
    (record,) = records(folder, task)
    return record


def _record(folder: Path, entry: Data) -> Record:
    return Record(folder, read_object(folder / "manifest.json"), read_object(folder / "run-summary.json"), entry)


def assert_agreement(root: Path, record: Record, outcome: str) -> None:
    """Manifest, summary, history and rollups speak of one run that ended like this."""
    manifest, entry = record.manifest, record.entry
    status = outcome if outcome in ("succeeded", "cancelled") else "failed"
    assert manifest["status"] == entry["status"] == status
    assert manifest["metrics_recorded"] is True
    for key in ("run_id", "task_id", "pipeline_id", "started_at", "completed_at"):
        assert manifest[key] == entry[key] is not None, key
    found = list(record.statuses.values())
    assert (entry["commands_passed"], entry["commands_failed"]) == (found.count("succeeded"), found.count("failed"))
    assert record.summary["runId"] == manifest["run_id"]
    group = record.summary.get("group")
    if group is not None:
        assert as_object(group)["processed"] == len(found) - found.count("pending")
    for stage in record.commands.values():
        ended = stage["status"] != "pending"
        assert (stage["started_at"] is not None) is (stage["completed_at"] is not None) is ended
        for key in ("log_path", "error_file"):
            assert stage[key] is None or (root / str(stage[key])).is_file()
    assert list((record.folder.parent.parent / "metrics.pending").glob("*.jsonl")) == []
    totals = read_object(record.folder.parent.parent / "metrics" / "post-rollout.json")
    lines = last_entries(root, str(manifest["task_id"])).values()
    assert (totals["total_runs"], totals["succeeded_runs"]) == (len(lines), [line["status"] for line in lines].count("succeeded"))


def assert_document(root: Path, finished: Finished, record: Record, outcome: str) -> None:
    """stdout is one JSON document that leads to the record."""
    document = finished.document()
    assert list(document) == [*LEADING_KEYS, "exit_code", "cause", "counts", "failed", "waived", "flaky"]
    assert document["exit_code"] == (finished.code if finished.code >= 0 else 128 - finished.code)
    counts = as_object(document["counts"])
    assert sum(int(str(number)) for word, number in counts.items() if word != "planned") == counts["planned"]
    assert document["run_id"] == record.manifest["run_id"]
    assert document["status"] == record.manifest["status"]
    assert document["outcome"] == outcome
    assert root / str(document["artifact_root"]) == record.folder
    assert all((root / str(document[key])).is_file() for key in ("manifest", "log_path", "run_summary"))


def snapshot(folder: Path) -> Mapping[str, bytes]:
    """Every file below the folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
