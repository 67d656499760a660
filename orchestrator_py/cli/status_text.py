"""Where a run stands, as text and as data."""

from collections.abc import Iterator

from orchestrator_py.cli.console import printable
from orchestrator_py.reading.checks import guardrails_of, guardrails_told, is_unguarded, review_of
from orchestrator_py.reading.files import Data, UnreadableError
from orchestrator_py.reading.flights import Flight
from orchestrator_py.reading.run import LOST, RUNNING, Run, text_of
from orchestrator_py.reading.stage_events import Told, exact_word

LONGEST_SUMMARY = 100


def status_data(run: Run, told: Told, now: str) -> dict[str, object]:
    """The one JSON document of `status --format json`; paths are as the manifest has them, relative to the repository."""
    return {
        "run_id": run.run_id,
        "task": run.task,
        "pipeline": run.manifest.get("pipeline_id"),
        "status": run.word,
        "detail": run.manifest.get("status_detail"),
        "started_at": run.manifest.get("started_at"),
        "completed_at": run.manifest.get("completed_at"),
        "elapsed_seconds": run.elapsed(now),
        "summary": run.manifest.get("summary"),
        "manifest": f"{run.text('artifact_root')}/manifest.json",
        "guardrails_required": run.manifest.get("guardrails_required"),
        "guardrails": guardrails_of(run) or None,
        "approvals": run.objects("approvals"),
        "review": _review(run) or None,
        "stages": [_stage_data(run, stage, told.get(text_of(stage, "id"), {}), now) for stage in run.objects("commands")],
        "child_runs": [
            {key: child.get(key) for key in ("run_id", "pipeline_id", "status", "manifest")} for child in run.objects("child_runs")
        ],
    }


def _stage_data(run: Run, stage: Data, facts: Data, now: str) -> dict[str, object]:
    kept = {key: stage.get(key) for key in ("id", "title", "kind")}
    rest = {key: stage.get(key) for key in ("exit_code", "summary", "log_path", "error_file", "sub_run_id")}
    place = {"instance_id": facts.get("instance"), "attempt": facts.get("attempt"), "worker": facts.get("worker")}
    return {**kept, "status": run.stage_word(stage, facts), "elapsed_seconds": run.stage_elapsed(stage, now), **rest, **place}


def status_lines(run: Run, told: Told, now: str) -> Iterator[str]:
    """The run in one line, a line for each stage, the child runs, where the record is."""
    yield f"{run.run_id} (task {run.task}, {run.text('pipeline_id')}): {spoken(run.word)}{_seconds(' in ', run.elapsed(now))}{_detail(run)}"
    stages = run.objects("commands")
    width = max((len(text_of(stage, "id")) for stage in stages), default=0)
    for stage in stages:
        name = text_of(stage, "id")
        yield f"  {name:{width}}  {stage_line(run, stage, now, told.get(name))}"
    if isinstance(run, Flight) and run.left_out:
        yield f"  and {', '.join(f'{count:,} more {spoken(word)}' for word, count in run.left_out.items())}"
    for child in run.objects("child_runs"):
        yield f"  child run {text_of(child, 'run_id')} ({text_of(child, 'pipeline_id')}): {spoken(text_of(child, 'status'))}"
    yield from _checks(run)
    yield f"report: {run.text('artifact_root')}/manifest.json"


def _checks(run: Run) -> Iterator[str]:
    """Guardrails that ran, or should have; what was approved all the same; a review."""
    told, counts = guardrails_told(run), guardrails_of(run).get("counts")
    if is_unguarded(run):
        yield f"  guardrails: required and not run: {printable(told)}"
    elif told and isinstance(counts, dict) and counts.get("total"):
        yield f"  guardrails: {printable(told)}"
    for approval in run.objects("approvals"):
        yield f"  approved all the same ({text_of(approval, 'actor')}): {_first_line(text_of(approval, 'reason'))}"
    if review := _review(run):
        yield f"  review: {spoken(text_of(review, 'decision'))}; {_first_line(text_of(review, 'detail'))}"


def _review(run: Run) -> Data:
    try:
        return review_of(run)
    except UnreadableError as error:
        return {"decision": "unreadable", "detail": error.problem}


def stage_line(run: Run, stage: Data, now: str, told: Data | None = None) -> str:
    """`failed in 1.2 s, exit code 3: what it said, log path`; what its events have `told` gives the exact word and the worker."""
    facts = told or {}
    word = run.stage_word(stage, facts)
    if word == "pending":
        return "never started" if run.has_ended else "waiting"
    code, summary, log = stage.get("exit_code"), text_of(stage, "summary"), text_of(stage, "log_path")
    ended = f", exit code {code}" if isinstance(code, int) and code else ""
    said = f": {_first_line(summary)}" if summary else ""
    waived = " (waived)" if word == "skipped" else ""
    shown, where = spoken(exact_word(word, facts)), "" if word == RUNNING else _where(facts)
    return f"{shown}{waived}{_seconds(' in ', run.stage_elapsed(stage, now))}{where}{ended}{said}{f', log {log}' if log else ''}"


def _where(facts: Data) -> str:
    """Of a stage that ran elsewhere; while it runs its summary says so."""
    worker = text_of(facts, "worker")
    return f" on worker {printable(worker)} as {text_of(facts, 'instance')}" if worker else ""


def spoken(word: str) -> str:
    """As a reader says it: `timed out`."""
    return word.replace("_", " ")


def _detail(run: Run) -> str:
    if run.word == LOST:
        return "; its process is gone, how it ended is not known"
    detail = run.text("status_detail")
    return f" ({detail})" if detail else ""


def _first_line(text: str) -> str:
    line = printable(text.partition("\n")[0])
    return line if len(line) <= LONGEST_SUMMARY else f"{line[:LONGEST_SUMMARY]}…"


def _seconds(before: str, seconds: float | None) -> str:
    return "" if seconds is None else f"{before}{seconds:.1f} s"
