"""In a workflow of GitHub: annotations, a step summary, and nothing that a child said is obeyed."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.cli.github import MOST_ANNOTATIONS, MOST_SUMMARY_BYTES
from orchestrator_py.cli.workflow_commands import harmless, harmless_json, workflow_command
from orchestrator_py.core.json_text import compact_json, parse_json, pretty_json
from tests.cli.running import Finished, command, configure_stages, run

GITHUB = {"GITHUB_ACTIONS": "true"}
EVIL = "printf '::error::a\\n  ::add-mask::b\\n##[error]c\\nx ##[add-mask]d\\n\\r::stop-commands::e\\n\\t::f::g\\n\\302\\240::error::h\\n'"


def obeyed(text: str) -> list[tuple[str, str]]:
    """The name and the line of what GitHub's runner takes as commands: `::name …::` after blanks, and `##[` wherever it stands."""
    found = []
    for line in re.split("\r\n|\r|\n", text):
        if command := re.match(r"\s*::(.*?)::", line):
            found.append((command[1].partition(" ")[0], line))
        elif "##[" in line:
            found.append(("old", line))
    return found


def commands_of(finished: Finished) -> list[tuple[str, str]]:
    return obeyed(finished.stdout) + obeyed(finished.stderr)


@pytest.mark.parametrize("arguments", [["--format", "text"], ["--format", "json"], ["--format", "jsonl", "--stream-logs"], ["-v"]])
def test_what_children_print_and_names_hold_is_not_obeyed(tmp_path: Path, arguments: list[str]) -> None:
    configure_stages(
        tmp_path,
        command("a::error::x", f"{EVIL}; {EVIL} >&2; exit 1", title="##[error]t"),
        command("b\n::error::y", f"{EVIL}; {EVIL} >&2; false"),
        command("c%0A::z", "true", review=f"{EVIL}; exit 1"),
        command("d", "true", cwd="::error::nowhere"),
        parallel=True,
    )
    summary = tmp_path / "summary.md"
    finished = run(tmp_path, "run", "--on-failure", "continue", *arguments, variables={**GITHUB, "GITHUB_STEP_SUMMARY": str(summary)})
    assert finished.code == 1
    found = commands_of(finished)
    assert [name for name, _ in found] == ["group", "endgroup"] * 3 + ["error"] * 4
    for _, line in found[6:]:
        assert re.fullmatch(r"::error title=p%3A[^:,]*::.*", line), line
    assert obeyed(summary.read_text()) == []


def test_an_error_of_the_call_is_not_obeyed_either(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "true"))
    for form in ("text", "json", "jsonl"):
        finished = run(tmp_path, "run", "::error::x ##[error]y\n::error::z", "--format", form, variables=GITHUB)
        assert (finished.code, commands_of(finished)) == (2, [])


def test_failures_are_errors_and_doubtful_successes_warnings(tmp_path: Path) -> None:
    configure_stages(
        tmp_path,
        command("good", "true"),
        command("meh", "exit 9", allowFailure=True),
        command("shy", "test -e once || { touch once; exit 1; }", retry={"maxAttempts": 2}),
        command("bad", "exit 3"),
        command("never", "true"),
    )
    finished = run(tmp_path, "run", "--github")
    errors = [line for name, line in commands_of(finished) if name == "error"]
    warnings = [line for name, line in commands_of(finished) if name == "warning"]
    assert len(errors) == 1
    assert errors[0].startswith("::error title=p%3Abad failed::exit code 3%0Alog: .runs/")
    assert warnings == ["::warning title=p::waived: p:meh (failed)", "::warning title=p::flaky: p:shy (2 attempts)"]
    assert "::" not in finished.stdout


def test_the_output_of_a_failure_is_folded_away(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("good", "echo fine"), command("bad", f"echo wrong; {EVIL} >&2; exit 3"))
    lines = run(tmp_path, "run", "-q", variables=GITHUB).stderr.splitlines()
    begin, end = lines.index("::group::p:bad failed: the end of its output"), lines.index("::endgroup::")
    assert lines[begin + 1 : begin + 3] == ["wrong", ": :error::a"]
    assert end - begin > 6
    assert "fine" not in lines


@pytest.mark.parametrize(("arguments", "variables"), [([], {}), (["--no-github"], GITHUB), ([], {"GITHUB_ACTIONS": "false"})])
def test_elsewhere_nothing_is_annotated(tmp_path: Path, arguments: list[str], variables: dict[str, str]) -> None:
    configure_stages(tmp_path, command("bad", "exit 3"))
    summary = tmp_path / "summary.md"
    finished = run(tmp_path, "run", *arguments, variables={"GITHUB_ACTIONS": "", **variables, "GITHUB_STEP_SUMMARY": str(summary)})
    assert commands_of(finished) == []
    assert not summary.exists()


def test_no_more_annotations_than_are_shown(tmp_path: Path) -> None:
    configure_stages(tmp_path, *(command(f"bad{number}", "false") for number in range(13)), parallel=True)
    found = [line for _, line in commands_of(run(tmp_path, "run", "--on-failure", "continue", variables=GITHUB))]
    assert len(found) == MOST_ANNOTATIONS
    assert found[-1] == "::error title=more::and 4 more; the summary of the step names all"


@pytest.mark.parametrize("before", ["before\n", "before", "é", ""])
def test_the_summary_is_a_table_behind_what_stands_there(tmp_path: Path, before: str) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text(before)
    configure_stages(tmp_path, command("a|b", "exit 9", allowFailure=True), command("<img>", "exit 3"), command("never", "true"))
    assert run(tmp_path, "run", variables={**GITHUB, "GITHUB_STEP_SUMMARY": str(summary)}).code == 1
    lines = summary.read_text().splitlines()
    assert lines[: lines.index("### p failed")] == before.split()
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines if line.startswith("| ")]
    assert [(row[0], row[1], row[3]) for row in rows[2:]] == [
        (r"a\|b", "failed, waived", "exit code 9"),
        (r"\<img\>", "failed", "exit code 3"),
        ("never", "not started", r"since p\:\<img\> failed"),
    ]


@pytest.mark.parametrize("end", [b"\n", b"x"])
def test_the_summary_of_a_step_never_grows_beyond_what_github_takes(tmp_path: Path, end: bytes) -> None:
    summary = tmp_path / "summary.md"
    summary.write_bytes(b"x" * (MOST_SUMMARY_BYTES - 400) + end)
    configure_stages(tmp_path, *(command(f"a{number}", "true") for number in range(20)))
    assert run(tmp_path, "run", variables={**GITHUB, "GITHUB_STEP_SUMMARY": str(summary)}).code == 0
    assert MOST_SUMMARY_BYTES - 150 < summary.stat().st_size <= MOST_SUMMARY_BYTES
    assert re.search(r"… and \d+ more lines\n\Z", summary.read_text())
    summary.write_bytes(b"x" * MOST_SUMMARY_BYTES)
    assert run(tmp_path, "run", variables={**GITHUB, "GITHUB_STEP_SUMMARY": str(summary)}).code == 0
    assert summary.stat().st_size == MOST_SUMMARY_BYTES


def test_a_summary_that_cannot_be_written_is_told_and_changes_nothing(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "true"))
    finished = run(tmp_path, "run", variables={**GITHUB, "GITHUB_STEP_SUMMARY": str(tmp_path)})
    assert finished.code == 0
    assert f"warning: {tmp_path}: cannot append the summary of the run: Is a directory" in finished.stderr


# Pure -------------------------------------------------------------------------------------------------------------

hostile = st.text(st.sampled_from("::##[]% \t\r\n\x0b\x85\u2028abc=,") | st.characters(), max_size=40)


@given(hostile)
def test_text_of_others_is_never_obeyed(text: str) -> None:
    assert obeyed(harmless(text)) == [] or "\r" in text or _has_strange_blanks(text)


def _has_strange_blanks(text: str) -> bool:
    """Those never get so far: what is printed holds no blank but the space and the tab."""
    return any(character.isspace() and character not in " \t\n" for character in text)


@given(hostile, hostile)
def test_a_command_of_ours_is_one_line_and_says_what_was_meant(title: str, message: str) -> None:
    line = workflow_command("error", message, title=title)
    assert [name for name, _ in obeyed(line)] == ["error"]
    assert all(character.isprintable() for character in line)
    assert "##[" not in line
    properties, _, data = line.removeprefix("::error title=").partition("::")
    assert ":" not in properties
    assert "," not in properties
    plain = data.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")
    if "##[" not in message and all(character.isprintable() or character in "\r\n" for character in message):
        assert plain == message


@given(st.dictionaries(hostile, hostile | st.lists(hostile), max_size=3))
def test_json_stays_the_same_data_and_is_never_obeyed(data: dict[str, object]) -> None:
    for text in (compact_json(data), pretty_json(data)):
        safe = harmless_json(text)
        assert parse_json(safe) == parse_json(text)
        assert "##[" not in safe
        assert harmless(safe) == safe


def test_outside_of_a_workflow_text_is_left_alone(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "echo '##[x]'; exit 1"))
    assert "##[x]" in run(tmp_path, "run", variables={"GITHUB_ACTIONS": os.environ.get("NOT_THERE", "")}).stderr
