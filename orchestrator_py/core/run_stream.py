"""Run events in the contract's keys: what `--format jsonl` prints and `events.jsonl` holds. Keys that are ours stand last.

Every stage that `run:started` lists gets exactly one `stage:completed`, whether or not it ever started.
"""

from collections.abc import Callable, Iterator, Mapping

from orchestrator_py.core.stage_reports import stage_reports
from orchestrator_py.core.tally import counts, why
from orchestrator_py.ids import RunId, TaskId
from orchestrator_py.lean import define, field, frozen
from orchestrator_py.model.events import Event, RunCompleted, RunStarted, SubtaskFinished, SubtaskStarted
from orchestrator_py.model.manifest import CommandRecord, Manifest
from orchestrator_py.model.outcome import StopCause
from orchestrator_py.model.summary import SubtaskReport
from orchestrator_py.model.timestamp import Timestamp

FORMAT_VERSION = 1
"""Raised when a reader of the version before would be misled; new keys and new types do not raise it."""

TOLD = (RunStarted, SubtaskStarted, SubtaskFinished, RunCompleted)
"""The events that the contract has words for."""

HEARD = frozenset({"exec:begin", "exec:chunk", "exec:end"})
"""The lines of a stage's log that it has words for."""

Data = dict[str, object]


@frozen(kw_only=True)
class StageNews:
    """A line of a stage's log, as soon as it is written. `untold` counts characters of output before it that were left out."""

    timestamp: Timestamp
    task_id: TaskId
    run_id: RunId
    index: int
    stage_id: str
    event: Mapping[str, object]
    untold: int = 0


@frozen(kw_only=True)
class RunPlaces:
    """Where a run is on record, as absolute paths."""

    manifest: str
    log: str
    metrics: str


@define(eq=False)
class _Open:
    """A run that has begun. A stage may be heard before its start is told: that waits in `early`."""

    manifest: Manifest
    started: set[int] = field(factory=set)
    ended: set[int] = field(factory=set)
    early: dict[int, list[StageNews]] = field(factory=dict)


@define(eq=False)
class RunStream:
    """Numbers the events of one call of the program, those of child runs among them. `with_logs`: what stages print is told too."""

    places: Callable[[RunId], RunPlaces]
    with_logs: bool = False
    _last_seq: int = field(default=0, init=False)
    _runs: dict[RunId, _Open] = field(factory=dict, init=False)

    def tell(self, news: Event | StageNews) -> Iterator[Data]:
        """What follows from the news, in order. News that the contract has no event for is none."""
        match news:
            case RunStarted(manifest=Manifest() as manifest):
                self._runs[news.run_id] = _Open(manifest)
                yield self._event("run:started", news, self._started(manifest))
            case SubtaskStarted(command=CommandRecord() as command):
                yield self._event("stage:started", news, {**_started_stage(command), "instanceId": news.instance_id})
                run = self._runs[news.run_id]
                run.started.add(command.index)
                for early in run.early.pop(command.index, ()):
                    yield from self._heard(early)
            case StageNews():
                run = self._runs[news.run_id]  # a stage is heard only between the two ends of its run
                if news.index in run.started:
                    yield from self._heard(news)
                else:
                    run.early.setdefault(news.index, []).append(news)
            case SubtaskFinished(command=CommandRecord() as command):
                yield self._completed(news, command, news.report)
            case RunCompleted(manifest=Manifest() as manifest):
                for command, report in stage_reports(manifest, news.summary):
                    if command.index not in self._runs[news.run_id].ended:
                        yield self._completed(news, command, report)
                yield self._event("run:completed", news, self._ended(news, manifest))
                del self._runs[news.run_id]
            case _:
                pass

    def fail(self, message: str, code: int, *, at: Timestamp, run: Manifest | None, more: Mapping[str, object]) -> Data:
        """The last event of a call that ends without a verdict on record; `run` is the one that was asked for, if it ever began."""
        base: Data = {"timestamp": at, "taskId": None, "runId": None}
        if run is not None:
            base |= {"taskId": run.task_id, "runId": run.run_id}
        about = {"pipelineId": None if run is None else run.pipeline_id, "message": message, "stageId": None}
        return {**self._numbered("run:error", base), **about, "exitCode": code, **more}

    def take_back(self) -> None:
        """The event that was made last will not be told: its number is free."""
        self._last_seq -= 1

    # The contract's events ---------------------------------------------------------------------------------------

    def _started(self, manifest: Manifest) -> Data:
        places = self.places(manifest.run_id)
        return {
            "pipelineId": manifest.pipeline_id,
            "pipelineTitle": manifest.pipeline_title,
            "manifestPath": places.manifest,
            "logPath": places.log,
            "status": manifest.status.value,
            "stages": [_stage(command) for command in manifest.commands],
        }

    def _completed(self, news: Event, command: CommandRecord, report: SubtaskReport) -> Data:
        self._runs[news.run_id].ended.add(command.index)
        return self._event("stage:completed", news, _completed_stage(command, report))

    def _ended(self, news: RunCompleted, manifest: Manifest) -> Data:
        places = self.places(manifest.run_id)
        return {
            "pipelineId": manifest.pipeline_id,
            "status": manifest.status.value,
            "manifestPath": places.manifest,
            "runSummaryPath": manifest.run_summary_path,
            "metricsPath": places.metrics,
            "summary": manifest.summary,
            "outcome": news.outcome.value,
            "cause": _cause(news.summary.cause),
            "counts": counts(news.summary.subtasks),
        }

    def _heard(self, news: StageNews) -> Iterator[Data]:
        """The call of a stage's command, and what it prints."""
        if news.untold and self.with_logs:
            text = f"({news.untold} characters of output are not told here: the reader is too slow; the log has them)"
            yield self._event("log", news, _log(news, "warn", text, "system"))
        match news.event:
            case {"type": "exec:chunk", "stream": stream, "data": data} if self.with_logs:
                yield self._event("log", news, _log(news, "error" if stream == "stderr" else "info", data, stream))
            case {"type": "exec:begin", "command": command}:
                where = {"worker": news.event["worker"]} if "worker" in news.event else {}
                yield self._event("tool:call", news, {**_call(news, "started", command), **where})
            case {"type": "exec:end", "status": status, "exit_code": code}:
                yield self._event("tool:call", news, _call(news, status, f"exit {'null' if code is None else code}"))
            case _:
                pass

    def _event(self, kind: str, news: Event | StageNews, payload: Data) -> Data:
        base: Data = {"timestamp": news.timestamp, "taskId": news.task_id, "runId": news.run_id}
        parent = self._runs[news.run_id].manifest.parent_run_id
        if parent is not None:
            base["parentRunId"] = parent
        return {**self._numbered(kind, base), **payload}

    def _numbered(self, kind: str, base: Data) -> Data:
        self._last_seq += 1
        version = {"formatVersion": FORMAT_VERSION} if self._last_seq == 1 else {}
        return {"type": kind, "seq": self._last_seq, **base, **version}


def failed_call(message: str, code: int, *, at: Timestamp) -> Data:
    """The only event of a call that begins no run."""
    return RunStream(lambda _: RunPlaces(manifest="", log="", metrics="")).fail(message, code, at=at, run=None, more={})


def _stage(command: CommandRecord) -> Data:
    return {
        "index": command.index,
        "id": command.id,
        "title": command.title,
        "kind": command.kind,
        "status": command.status.value,
        "summary": command.summary,
        "exitCode": command.exit_code,
        "logPath": command.log_path,
        "subRunId": command.sub_run_id,
    }


def _started_stage(command: CommandRecord) -> Data:
    return {
        "stageId": command.id,
        "stageIndex": command.index,
        "title": command.title,
        "kind": command.kind,
        "logPath": command.log_path,
        "status": command.status.value,
    }


def _completed_stage(command: CommandRecord, report: SubtaskReport) -> Data:
    sub_run: Data = {} if command.sub_run_id is None else {"subRunId": command.sub_run_id}
    return {
        **_started_stage(command),
        "exitCode": command.exit_code,
        "summary": command.summary,
        **sub_run,
        "outcome": report.outcome.value,
        "counted": report.counted.value,
        "attempts": len(report.attempts),
        "flaky": report.flaky,
        "waived": report.waived,
        "reason": why(report) or None,
        "durationSeconds": sum(attempt.elapsed.total_seconds() for attempt in report.attempts) if report.attempts else None,
    }


def _call(news: StageNews, status: object, message: object) -> Data:
    place: Data = {"stageId": news.stage_id, "stageIndex": news.index}
    return {**place, "toolName": "exec", "status": status, "message": message, "attempt": news.event.get("attempt")}


def _log(news: StageNews, level: str, message: object, source: object) -> Data:
    return {"stageId": news.stage_id, "stageIndex": news.index, "level": level, "message": message, "source": source}


def _cause(cause: StopCause | None) -> Data | None:
    return None if cause is None else {"kind": cause.kind.value, "detail": cause.detail}
