"""What reports say about the end of a command: the contract's words, byte for byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.core.command_summary import command_summary, cut, error_detail, shown_exit_code, trim
from orchestrator_py.core.json_text import compact_json
from orchestrator_py.ids import RunId, TaskId
from orchestrator_py.model.execution import Execution, Output
from orchestrator_py.model.timestamp import Timestamp


def ended(
    exit_code: int | None = None, *, signal: str | None = None, stdout: str = "", stderr: str = "", spawn_error: str | None = None
) -> Execution:
    return Execution(exit_code=exit_code, signal=signal, stdout=Output(text=stdout), stderr=Output(text=stderr), spawn_error=spawn_error)


@pytest.mark.parametrize(
    ("execution", "hint", "summary"),
    [
        (ended(0, stdout="out", stderr="err"), "All good", "All good"),
        (ended(0, stdout=" \n out \n", stderr="err"), None, "out"),
        (ended(0, stdout=" \n ", stderr="\terr\r\n"), "", "err"),
        (ended(0), None, "Command completed with code 0"),
        (ended(3), None, "Exited with code 3"),
        (ended(3, stdout="out", stderr="\nerr\n"), None, "Exited with code 3 — err"),
        (ended(3), "All good", "All good"),
        (ended(signal="SIGKILL"), None, "Terminated with signal SIGKILL"),
        (ended(signal="SIGTERM", stderr="err"), None, "Terminated with signal SIGTERM — err"),
        (ended(spawn_error="No such file or directory: /x"), "All good", "Execution error: No such file or directory: /x"),
        (ended(stderr="err"), None, "Ended without an exit code — err"),
        (ended(0, stdout="x" * 240), None, "x" * 240),
        (ended(0, stdout="x" * 241), None, "x" * 240 + "…"),
        (ended(1, stderr=" " * 9 + "e" * 241), None, "Exited with code 1 — " + "e" * 240 + "…"),
        (ended(0, stdout="😀" * 120), None, "😀" * 120),
        (ended(0, stdout="x" + "😀" * 120), None, "x" + "😀" * 119 + "…"),
    ],
)
def test_the_first_text_that_applies_is_the_summary(execution: Execution, hint: str | None, summary: str) -> None:
    assert command_summary(execution, hint=hint) == summary


@pytest.mark.parametrize(
    ("execution", "code"),
    [(ended(0), 0), (ended(7), 7), (ended(signal="SIGKILL"), 128), (ended(), None), (ended(spawn_error="no"), None)],
)
def test_a_signal_shows_as_128_and_what_is_unknown_shows_as_nothing(execution: Execution, code: int | None) -> None:
    assert shown_exit_code(execution) == code


@given(st.text(st.characters(codec="utf-8"), max_size=40), st.integers(min_value=0, max_value=30))
def test_cutting_counts_as_consumers_do_and_never_splits_a_character(text: str, longest: int) -> None:
    shown = cut(text, longest)
    units = len(text.encode("utf-16-le")) // 2
    if units <= longest:
        assert shown == text
        return
    kept = shown.removesuffix("…")
    assert shown == kept + "…"
    assert text.startswith(kept)
    assert longest - 1 <= len(kept.encode("utf-16-le")) // 2 <= longest


def test_trimming_takes_what_consumers_trim_and_nothing_else() -> None:
    assert trim("\ufeff\u00a0\u2028 a b \u3000\u2003\v") == "a b"
    assert trim("\x1c\x85a\x1f") == "\x1c\x85a\x1f"


def detail_of(execution: Execution) -> dict[str, object]:
    return error_detail(
        execution, run_id=RunId("r"), task_id=TaskId("t"), index=2, command_id="b", command="make", at=Timestamp("2025-12-21T14:02:47.637Z")
    )


def test_the_error_file_has_the_contract_s_keys_in_their_order() -> None:
    assert compact_json(detail_of(ended(2, stdout="out", stderr=" err\n"))) == (
        '{"run_id":"r","task_id":"t","command_index":2,"command_id":"b","command":"make","reason":"command-failed",'
        '"details":{"exit_code":2,"sandbox_state":"sandboxed","stderr":"err"},"created_at":"2025-12-21T14:02:47.637Z"}'
    )


def test_the_error_file_tells_the_signal() -> None:
    assert detail_of(ended(signal="SIGSEGV"))["details"] == {
        "exit_code": 128,
        "sandbox_state": "sandboxed",
        "stderr": "",
        "signal": "SIGSEGV",
    }


def test_a_command_that_could_not_start_has_its_own_reason_and_says_why() -> None:
    detail = detail_of(ended(spawn_error="Not a directory: /x"))
    assert detail["reason"] == "command-execution-error"
    assert detail["details"] == {"exit_code": None, "sandbox_state": "sandboxed", "stderr": "Not a directory: /x"}


def test_a_long_stderr_is_cut_and_says_so_once() -> None:
    details = detail_of(ended(1, stderr="e" * 8193))["details"]
    assert details == {"exit_code": 1, "sandbox_state": "sandboxed", "stderr": "e" * 8192 + "…", "stderr_truncated": True}
    assert detail_of(ended(1, stderr="e" * 8192))["details"] == {"exit_code": 1, "sandbox_state": "sandboxed", "stderr": "e" * 8192}


def test_streams_that_were_not_kept_whole_are_flagged_after_the_rest() -> None:
    execution = Execution(exit_code=1, stdout=Output(truncated=True), stderr=Output(text="e" * 9000, truncated=True))
    details = detail_of(execution)["details"]
    assert isinstance(details, dict)
    assert list(details) == ["exit_code", "sandbox_state", "stderr", "stdout_truncated", "stderr_truncated"]
