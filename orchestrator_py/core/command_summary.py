"""What reports say about the end of one command: its summary line, its exit code, and the data of its error file."""

from datetime import timedelta

from orchestrator_py.ids import RunId, TaskId
from orchestrator_py.model.command import CommandSpec
from orchestrator_py.model.execution import Execution
from orchestrator_py.model.timestamp import Timestamp

SANDBOX_STATE = "sandboxed"  # the contract's word for every first attempt; it promises nothing
LONGEST_DETAIL = 8192
_LONGEST_SUMMARY = 240
_MILLISECOND = timedelta(milliseconds=1)
_EXIT_CODE_OF_A_SIGNAL = 128
# What String.prototype.trim takes away, which is not what str.strip does.
_BLANKS = "\t\n\v\f\r \u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000\ufeff"


def command_summary(execution: Execution, *, hint: str | None) -> str:
    """One text for the end of a command, the first that applies, in the contract's words."""
    stdout, stderr = trim(execution.stdout.text), trim(execution.stderr.text)
    if execution.spawn_error is not None:
        return f"Execution error: {execution.spawn_error}"
    if execution.loss is not None:
        return f"Lost ({execution.loss})"
    if hint:
        return hint
    if execution.signal is not None:
        return _with_stderr(f"Terminated with signal {execution.signal}", stderr)
    if execution.exit_code is None:
        return _with_stderr("Ended without an exit code", stderr)
    if execution.exit_code != 0:
        return _with_stderr(f"Exited with code {execution.exit_code}", stderr)
    return cut(stdout or stderr, _LONGEST_SUMMARY) or f"Command completed with code {execution.exit_code}"


def shown_exit_code(execution: Execution) -> int | None:
    """The process's own code, 128 if a signal ended it; None if it has none: it never started, or its status was lost."""
    return execution.exit_code if execution.signal is None else _EXIT_CODE_OF_A_SIGNAL


def begin_events(spec: CommandSpec, correlation_id: str) -> tuple[dict[str, object], dict[str, object]]:
    """What a stage's log says when a command begins."""
    return {"type": "command:start", "command": spec.command}, {
        "type": "exec:begin",
        "correlation_id": correlation_id,
        "attempt": spec.attempt,
        "command": spec.command,
        "args": [],
        "cwd": str(spec.cwd),
        "session_id": spec.session_id or correlation_id,
        "sandbox_state": SANDBOX_STATE,
        "persisted": spec.session_id is not None,
    }


def end_events(spec: CommandSpec, correlation_id: str, execution: Execution) -> tuple[dict[str, object], dict[str, object]]:
    """What it says at the end."""
    status = "succeeded" if execution.exit_code == 0 and not execution.stopped else "failed"
    milliseconds = execution.duration // _MILLISECOND
    end: dict[str, object] = {"exit_code": execution.exit_code, "signal": execution.signal, "duration_ms": milliseconds}
    ids: dict[str, object] = {"correlation_id": correlation_id, "attempt": spec.attempt}
    return {"type": "exec:end", **ids, **end, "status": status}, {"type": "command:end", **end}


def error_detail(
    execution: Execution, *, run_id: RunId, task_id: TaskId, index: int, command_id: str, command: str | None, at: Timestamp
) -> dict[str, object]:
    """The JSON data of the error file, keys in the contract's order; `index` is the command's place, from 1."""
    return {
        "run_id": run_id,
        "task_id": task_id,
        "command_index": index,
        "command_id": command_id,
        "command": command,
        "reason": "command-failed" if _no_end(execution) is None else "command-execution-error",
        "details": _details(execution),
        "created_at": at,
    }


def _details(execution: Execution) -> dict[str, object]:
    stderr = trim(_no_end(execution) or execution.stderr.text)
    shown = cut(stderr, LONGEST_DETAIL)
    details: dict[str, object] = {"exit_code": shown_exit_code(execution), "sandbox_state": SANDBOX_STATE, "stderr": shown}
    if shown != stderr and not execution.stderr.truncated:
        details["stderr_truncated"] = True
    if execution.signal is not None:
        details["signal"] = execution.signal
    if execution.stdout.truncated:
        details["stdout_truncated"] = True
    if execution.stderr.truncated:
        details["stderr_truncated"] = True
    return details


def _no_end(execution: Execution) -> str | None:
    """Why no end of it was seen: it did not begin, or it was lost."""
    return execution.spawn_error or (None if execution.loss is None else str(execution.loss))


def trim(text: str) -> str:
    """Without the blanks at both ends, by the language that consumers know the texts from."""
    return text.strip(_BLANKS)


def cut(text: str, longest: int) -> str:
    """At most `longest` UTF-16 code units, as that language counts, then "…"; a character that the limit splits is left out."""
    units = 0
    for place, character in enumerate(text):
        units += 2 if character > "\uffff" else 1
        if units > longest:
            return f"{text[:place]}…"
    return text


def _with_stderr(text: str, stderr: str) -> str:
    return f"{text} — {cut(stderr, _LONGEST_SUMMARY)}" if stderr else text
