"""`metrics`: what is on record is shown, checked, mended and pruned, one task after the other."""

import time
from argparse import Namespace
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from orchestrator_py.app.system_clock import SystemClock
from orchestrator_py.cli.console import print_json, print_lines, say
from orchestrator_py.cli.exit_codes import NOT_RECORDED, code_of_error
from orchestrator_py.cli.metrics_place import open_layout, select_tasks
from orchestrator_py.cli.metrics_text import (
    finding_data,
    overview_data,
    overview_lines,
    pruned_lines,
    rebuilt_data,
    rebuilt_lines,
    verified_lines,
)
from orchestrator_py.core.pruning import PruningRule
from orchestrator_py.errors import OrchestratorError
from orchestrator_py.ids import TaskId
from orchestrator_py.lean import field, frozen
from orchestrator_py.store.audit import Audit, audit
from orchestrator_py.store.layout import TaskLayout
from orchestrator_py.store.overview import read_overview
from orchestrator_py.store.prune import find_candidates, prune
from orchestrator_py.store.rebuild import rebuild

DIFFERS = 1
REST_SECONDS = 0.25
"""Between the two looks of a verify that found something: a live writer's work in progress does not look the same twice."""


@frozen(kw_only=True)
class Answer:
    """What a command has to say about one task."""

    data: dict[str, object] = field(factory=dict)
    lines: Iterable[str] = ()
    code: int = 0


def metrics(arguments: Namespace) -> int:
    """The exit code: the highest of all tasks. A task that cannot be worked on does not keep the others from it."""
    match arguments.action:
        case "show":
            return _tell(arguments, _answer(arguments, _show))
        case "verify":
            return _tell_verified(arguments, _answer(arguments, _verify))
        case "rebuild":
            return _tell(arguments, _answer(arguments, _rebuild))
        case "prune":
            return _tell(arguments, _answer(arguments, lambda task: _prune(task, arguments)))
        case "export":
            from orchestrator_py.cli.metrics_export import export

            return export(arguments)
        case _:
            from orchestrator_py.cli.metrics_record import record

            return record(arguments)


def _answer(arguments: Namespace, work: Callable[[TaskLayout], Answer]) -> dict[TaskId, Answer]:
    layout = open_layout(arguments)
    tasks = select_tasks(arguments, layout)
    if not tasks:
        say(f"{layout.runs_root}: there is no task here.")
    return {task.task_id: _try(work, task) for task in tasks}


def _try(work: Callable[[TaskLayout], Answer], task: TaskLayout) -> Answer:
    try:
        return work(task)
    except OrchestratorError as error:
        say(str(error))
        return Answer(data={"error": str(error)}, code=code_of_error(error))


def _tell(arguments: Namespace, answers: dict[TaskId, Answer]) -> int:
    code = max((answer.code for answer in answers.values()), default=0)
    if arguments.format == "json":
        return print_json({"tasks": [{"task": task_id, **answer.data} for task_id, answer in answers.items()]}, code)
    return print_lines([line for answer in answers.values() for line in answer.lines], code)


# show --------------------------------------------------------------------------------------------------------------


def _show(task: TaskLayout) -> Answer:
    """What stands before damage in the journal is told, and that it is not all."""
    overview = read_overview(task)
    for damage in overview.damaged:
        say(f"{task.task_id}: entries on record are missing from these totals: {damage}")
    return Answer(data=overview_data(overview), lines=overview_lines(overview), code=NOT_RECORDED if overview.damaged else 0)


# verify ------------------------------------------------------------------------------------------------------------


def _verify(task: TaskLayout) -> Answer:
    audited = audit(task)
    if audited.findings:
        time.sleep(REST_SECONDS)
        audited = audited.lasting(audit(task))
    return Answer(data=_audit_data(audited), lines=verified_lines(task.task_id, audited), code=DIFFERS if audited.findings else 0)


def _audit_data(audited: Audit) -> dict[str, object]:
    return {
        "findings": [finding_data(finding) for finding in audited.findings],
        "notices": [finding_data(notice) for notice in audited.notices],
    }


def _tell_verified(arguments: Namespace, answers: dict[TaskId, Answer]) -> int:
    if arguments.format == "text":
        return _tell(arguments, answers)
    code = max((answer.code for answer in answers.values()), default=0)
    data: dict[str, object] = {"ok": code == 0}
    for key in ("findings", "notices"):
        lists = [(task_id, answer.data.get(key)) for task_id, answer in answers.items()]
        data[key] = [{"task": task_id, **item} for task_id, items in lists if isinstance(items, list) for item in items]
    errors = [{"task": task_id, "error": answer.data["error"]} for task_id, answer in answers.items() if "error" in answer.data]
    return print_json({**data, "errors": errors}, code)


# rebuild -----------------------------------------------------------------------------------------------------------


def _rebuild(task: TaskLayout) -> Answer:
    rebuilt = rebuild(task, SystemClock().now)
    return Answer(data=rebuilt_data(task, rebuilt), lines=rebuilt_lines(task, rebuilt))


# prune -------------------------------------------------------------------------------------------------------------


def _prune(task: TaskLayout, arguments: Namespace) -> Answer:
    older_than = None if arguments.older_than is None else timedelta(days=arguments.older_than)
    rule, now = PruningRule(keep=arguments.keep, older_than=older_than), datetime.now(UTC)
    if arguments.dry_run:
        candidates = find_candidates(task)
        removed = rule.select(candidates.finished, now)
    else:
        removed, candidates = prune(task, rule, now)
    data: dict[str, object] = {
        "dry_run": arguments.dry_run,
        "removed": [run.run_id for run in removed],
        "left": len(candidates.finished) - len(removed),
        "kept": [finding_data(finding) for finding in candidates.kept],
        "stuck": list(map(str, candidates.stuck)),
    }
    for error in candidates.stuck:
        say(str(error))
    lines = pruned_lines(task.task_id, removed, candidates, dry_run=arguments.dry_run)
    return Answer(data=data, lines=lines, code=NOT_RECORDED if candidates.stuck else 0)
