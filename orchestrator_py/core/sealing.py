"""What becomes of a run whose process died: its record is completed with what is known, and with nothing that is not."""

from collections.abc import Iterable, Mapping

from orchestrator_py.core.assignments import finalise
from orchestrator_py.core.guardrails import guardrail_name, guardrail_status, with_guardrail_line
from orchestrator_py.lean import evolve
from orchestrator_py.model.guardrails import GuardrailStatus
from orchestrator_py.model.manifest import ChildRun, CommandRecord, CommandStatus, Manifest, RunStatus
from orchestrator_py.model.timestamp import Timestamp

OWNER_LOST = "owner-lost"
_UNKNOWN_END = "The process that ran this was lost; how it ended is not known."


def seal(manifest: Manifest, at: Timestamp) -> Manifest:
    """The manifest of a lost run: failed, and without an end, since nobody saw one. A terminal one comes back as it is."""
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
        child_runs=tuple(_seal_child(child) for child in manifest.child_runs),
        scheduler=None if manifest.scheduler is None else finalise(manifest.scheduler, RunStatus.FAILED, None),
        guardrail_status=guardrails,
    )


def finish_from_entry(manifest: Manifest, entry: Mapping[str, object], at: Timestamp) -> Manifest:
    """The manifest of a run whose entry is on record though the manifest does not say so: the entry's word holds."""
    sealed = seal(manifest, at)
    status, completed_at = entry.get("status"), entry.get("completed_at")
    if manifest.status.is_terminal or not isinstance(status, str) or status not in {word.value for word in RunStatus}:
        return evolve(sealed, metrics_recorded=True)
    return evolve(
        sealed,
        status=RunStatus(status),
        status_detail=None if status == RunStatus.SUCCEEDED.value else sealed.status_detail,
        completed_at=Timestamp(completed_at) if isinstance(completed_at, str) else None,
        metrics_recorded=True,
    )


def _guardrails(manifest: Manifest, commands: Iterable[CommandRecord], at: Timestamp) -> GuardrailStatus:
    """As the run itself has counted them, if it had to; else as the commands tell."""
    if manifest.guardrail_status is not None:
        return evolve(manifest.guardrail_status, computed_at=at)
    return guardrail_status(((guardrail_name(c.id, c.command), c.status.value) for c in commands), manifest.guardrails_required, at)


def _seal_command(command: CommandRecord) -> CommandRecord:
    if command.status is not CommandStatus.RUNNING:
        return command
    return evolve(command, status=CommandStatus.FAILED, completed_at=None, summary=_UNKNOWN_END)


def _seal_child(child: ChildRun) -> ChildRun:
    return child if child.status.is_terminal else evolve(child, status=RunStatus.FAILED)
