"""What becomes of a run whose process died: its record is completed with what is known, and with nothing that is not."""

from collections.abc import Iterable, Mapping, Sequence

from orchestrator_py.core.assignments import finalise
from orchestrator_py.core.command_records import was_not_selected
from orchestrator_py.core.guardrails import guardrail_name, guardrail_status, with_guardrail_line
from orchestrator_py.ids import RunId
from orchestrator_py.lean import evolve
from orchestrator_py.model.guardrails import GuardrailStatus
from orchestrator_py.model.manifest import ChildRun, CommandRecord, CommandStatus, Manifest, RunStatus
from orchestrator_py.model.timestamp import Timestamp

OWNER_LOST = "owner-lost"
_UNKNOWN_END = "The process that ran this was lost; how it ended is not known."
_END_BY_COUNT = "By what the run's entry counts; when it ended, and what it said, was lost."
_END_NOT_RECORDED = "How it ended is not known: of the run's end only its entry is on record."
_ENDS = {status.value: status for status in RunStatus if status.is_terminal}


Endings = Mapping[RunId, RunStatus]
"""How other runs have ended, by their own manifests."""


def seal(manifest: Manifest, at: Timestamp, children: Endings) -> Manifest:
    """The manifest of a lost run: failed, and without an end, since nobody saw one. A terminal one comes back as it is.

    A run that it had begun has ended as that run's own manifest says; one of which nothing is known was lost with it.
    """
    if manifest.status.is_terminal:
        return manifest
    commands = tuple(_seal_command(command) for command in manifest.commands)
    guardrails = _guardrails(manifest, commands, at)
    return evolve(
        manifest,
        status=RunStatus.FAILED,
        status_detail=OWNER_LOST,
        completed_at=None,
        updated_at=at,
        summary=with_guardrail_line("The process that ran this pipeline was lost.", guardrails),
        commands=commands,
        child_runs=tuple(_end_child(child, children.get(child.run_id, RunStatus.FAILED)) for child in manifest.child_runs),
        scheduler=None if manifest.scheduler is None else finalise(manifest.scheduler, RunStatus.FAILED, None),
        guardrail_status=guardrails,
    )


def finish_from_entry(manifest: Manifest, entry: Mapping[str, object], at: Timestamp, children: Endings) -> Manifest:
    """The manifest of a run whose entry is on record though the manifest does not say so: the entry's word holds.

    A failure without an end is that of a run which was sealed. Any other entry says how many stages passed and failed: where that leaves
    one way only, it is told. The other stages stand as running, which readers of an ended run tell as lost: no word is a guess.
    """
    status, completed_at = _ENDS.get(str(entry.get("status"))), entry.get("completed_at")
    sealed_then = status is RunStatus.FAILED and not isinstance(completed_at, str)
    if manifest.status.is_terminal or status is None or sealed_then:
        return evolve(seal(manifest, at, children), metrics_recorded=True)
    commands = tuple(_as_counted(manifest.commands, entry))
    guardrails = _guardrails(manifest, commands, at)
    said = f"This run is on record as {status.value}; what else its process had to say of its end was lost."
    return evolve(
        manifest,
        status=status,
        status_detail=None,
        completed_at=Timestamp(completed_at) if isinstance(completed_at, str) else None,
        updated_at=at,
        summary=with_guardrail_line(said, guardrails),
        metrics_recorded=True,
        commands=commands,
        child_runs=tuple(_end_child(child, children.get(child.run_id, child.status)) for child in manifest.child_runs),
        scheduler=None if manifest.scheduler is None else finalise(manifest.scheduler, status, None),
        guardrail_status=guardrails,
    )


def _as_counted(commands: Sequence[CommandRecord], entry: Mapping[str, object]) -> Iterable[CommandRecord]:
    """Stages that had ended, or were not to start, stay as they are; all others passed, or all failed, if the entry counts so many more."""
    statuses = [command.status for command in commands]
    opened = {command.index for command in commands if _had_not_ended(command)}
    for word, key in ((CommandStatus.SUCCEEDED, "commands_passed"), (CommandStatus.FAILED, "commands_failed")):
        if entry.get(key) == statuses.count(word) + len(opened):
            found, said = word, _END_BY_COUNT
            break
    else:
        found, said = CommandStatus.RUNNING, _END_NOT_RECORDED
    return (evolve(one, status=found, completed_at=None, summary=said) if one.index in opened else one for one in commands)


def _had_not_ended(command: CommandRecord) -> bool:
    return command.status in (CommandStatus.PENDING, CommandStatus.RUNNING) and not was_not_selected(command)


def _guardrails(manifest: Manifest, commands: Iterable[CommandRecord], at: Timestamp) -> GuardrailStatus:
    """As the run itself has counted them, if it had to; else as the commands tell."""
    if manifest.guardrail_status is not None:
        return evolve(manifest.guardrail_status, computed_at=at)
    return guardrail_status(((guardrail_name(c.id, c.command), c.status.value) for c in commands), manifest.guardrails_required, at)


def _seal_command(command: CommandRecord) -> CommandRecord:
    if command.status is not CommandStatus.RUNNING:
        return command
    return evolve(command, status=CommandStatus.FAILED, completed_at=None, summary=_UNKNOWN_END)


def _end_child(child: ChildRun, status: RunStatus) -> ChildRun:
    return child if child.status.is_terminal else evolve(child, status=status)
