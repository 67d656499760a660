"""JUnit XML: every stage is a test case, every reader can read it, and it never looks better than the verdict."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import defusedxml.ElementTree
import pytest
from hypothesis import given
from hypothesis import strategies as st
from junitparser import JUnitXml
from lxml import etree

from orchestrator_py.cli.junit import JunitFile
from orchestrator_py.core.xml_text import xml_text
from orchestrator_py.errors import InputError
from tests.cli.running import (
    Fifo,
    command,
    configure,
    configure_stages,
    finish,
    pipeline,
    run,
    snapshot,
    start,
    start_words,
    subpipeline,
    words,
)


def parse(path: Path) -> ET.Element:
    """As three libraries read it, which say the same."""
    content = path.read_bytes()
    root = ET.fromstring(content)
    plain = ET.canonicalize(content)
    assert ET.canonicalize(etree.tostring(etree.fromstring(content))) == plain
    assert ET.canonicalize(ET.tostring(defusedxml.ElementTree.fromstring(content))) == plain
    assert len(list(JUnitXml.fromfile(str(path)))) == len(root)
    return root


def results(suite: ET.Element) -> dict[str | None, str]:
    """How each test case of a suite ended."""
    kinds = ("failure", "error", "skipped")
    return {case.get("name"): next((kind for kind in kinds if case.find(kind) is not None), "passed") for case in suite.iter("testcase")}


def test_every_kind_of_end_has_its_place(tmp_path: Path) -> None:
    configure(
        tmp_path,
        pipeline(
            "p",
            command("good", "echo fine"),
            command("bad", "echo why >&2; exit 3"),
            command("no", "true", review="echo too long; exit 1"),
            command("late", "exec sleep 300", timeoutSeconds=0.05),
            command("dead", "kill -KILL $$"),
            command("after", "true", needs=["bad"]),
            command("off", "true", plan={"runnable": False}),
            command("meh", "exit 9", allowFailure=True),
            command("shy", "test -e once || { touch once; exit 1; }", retry={"maxAttempts": 2}),
            subpipeline("child", "q"),
            parallel=True,
        ),
        pipeline("q", command("x", "false")),
    )
    assert run(tmp_path, "run", "--on-failure", "continue", "--junit-xml", "made/here/report.xml").code == 1
    root = parse(tmp_path / "made" / "here" / "report.xml")
    parent, child = root
    assert results(parent) == {
        "good": "passed",
        "bad": "failure",
        "no": "failure",
        "late": "error",
        "dead": "error",
        "after": "skipped",
        "off": "skipped",
        "meh": "passed",
        "shy": "passed",
        "child": "failure",
    }
    assert (parent.get("name"), child.get("name"), results(child)) == ("p", "q", {"x": "failure"})
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "11",
        "failures": "4",
        "errors": "2",
        "skipped": "2",
    }
    cases = {case.get("name"): case for case in parent.iter("testcase")}
    assert {case.get("classname") for case in cases.values()} == {"p"}
    assert cases["good"].findtext("system-out") == "fine\n"
    assert cases["bad"].findtext("system-err") == "why\n"
    told = {name: cases[name].find("*") for name in ("bad", "no", "late", "after", "off")}
    assert {name: None if one is None else (one.get("type"), one.get("message")) for name, one in told.items()} == {
        "bad": ("failed", "exit code 3"),
        "no": ("rejected", "too long"),
        "late": ("timed_out", "its limit is 0.05 s"),
        "after": (None, "something it needs did not succeed"),
        "off": (None, "not selected"),
    }
    notes = {name: {one.get("name"): one.get("value") for one in cases[name].iter("property")} for name in ("meh", "shy", "good")}
    assert notes == {"meh": {"waived": "failed exit code 9"}, "shy": {"flaky": "2 attempts"}, "good": {}}
    assert str(cases["shy"].findtext("system-out")).startswith("flaky: 2 attempts\n")


def test_a_run_that_was_cut_short_leaves_a_whole_report(tmp_path: Path) -> None:
    told = Fifo(tmp_path / "told")
    configure_stages(tmp_path, command("now", "echo up > told; exec sleep 300"), command("never", "true"))
    process = start(tmp_path, "run", "--junit-xml", "report.xml")
    told.wait_for("up")
    process.terminate()
    assert finish(process).code == -15
    (suite,) = parse(tmp_path / "report.xml")
    assert results(suite) == {"now": "error", "never": "skipped"}
    assert list(tmp_path.glob("report.xml*")) == [tmp_path / "report.xml"]


@pytest.mark.parametrize("stages", [[], [command("off", "true", plan={"runnable": False})]], ids=["no stages", "none runnable"])
def test_a_verdict_that_no_stage_carries_is_an_error_of_the_run(tmp_path: Path, stages: list[dict[str, object]]) -> None:
    configure_stages(tmp_path, *stages)
    assert run(tmp_path, "run", "--junit-xml", "report.xml").code == 5
    (suite,) = parse(tmp_path / "report.xml")
    assert results(suite)["(run)"] == "error"


def test_a_killed_run_leaves_no_report_of_an_earlier_one(tmp_path: Path) -> None:
    told, gate = Fifo(tmp_path / "told"), Fifo(tmp_path / "gate")
    (tmp_path / "report.xml").write_text("<testsuites/>")
    configure_stages(tmp_path, command("a", "echo up > told; read go < gate"))
    process = start(tmp_path, "run", "--junit-xml", "report.xml")
    told.wait_for("up")
    process.kill()
    finish(process)
    del gate
    assert not (tmp_path / "report.xml").exists()


@pytest.mark.parametrize("place", ["folder", "file/report.xml", "link"])
def test_what_cannot_be_written_is_refused_before_anything_starts(tmp_path: Path, place: str) -> None:
    configure_stages(tmp_path, command("a", "touch started"))
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    before = snapshot(tmp_path)
    finished = run(tmp_path, "run", "--junit-xml", place, "--format", "json")
    assert (finished.code, finished.document()["exit_code"]) == (2, 2)
    assert "--junit-xml" in finished.stderr
    assert snapshot(tmp_path) == before


def test_a_missing_library_is_named_with_the_remedy_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"install orchestrator-py\[junit\]"):
        JunitFile.at(str(tmp_path / "report.xml"))
    assert list(tmp_path.iterdir()) == []


def test_a_report_that_cannot_be_written_in_the_end_is_no_success(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a", "mkdir report.xml"))
    finished = run(tmp_path, "run", "--junit-xml", "report.xml")
    assert finished.code == 74
    assert "--junit-xml" in finished.stderr
    assert finished.stdout.startswith("p succeeded")


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_every_place_that_tells_the_code_tells_that_the_report_could_not_be_written(tmp_path: Path, form: str) -> None:
    configure_stages(tmp_path, command("a", "mkdir report.xml"))
    finished = run(tmp_path, "run", "--junit-xml", "report.xml", "--format", form)
    assert finished.code == 74
    (events,) = tmp_path.glob(".runs/0101/cli/*/events.jsonl")
    told = [json.loads(events.read_text().splitlines()[-1])["exitCode"]]
    told.append(finished.document()["exit_code"] if form == "json" else json.loads(finished.stdout.splitlines()[-1])["exitCode"])
    assert told == [74, 74]


def test_without_lxml_the_report_is_the_same(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("a<&\"'>", "printf 'x\\r\\n\\033[1m<&>\\0\\377]]>'; exit 1"))
    assert run(tmp_path, "run", "--junit-xml", "with.xml").code == 1
    line = [
        words()[0],
        "-c",
        "import sys; sys.modules['lxml'] = None\nfrom orchestrator_py.__main__ import main\nsys.exit(main(sys.argv[1:]))",
    ]
    assert finish(start_words(tmp_path, [*line, "run", "--junit-xml", "without.xml"])).code == 1
    both = [parse(tmp_path / name) for name in ("with.xml", "without.xml")]
    assert results(both[0][0]) == results(both[1][0]) == {"a<&\"'>": "failure"}
    assert both[0].findtext(".//system-out") == both[1].findtext(".//system-out") == "x\n<&>\ufffd\\xff]]>"


# Hostile text ------------------------------------------------------------------------------------------------------

hostile = st.text(
    st.characters(categories=["Cc", "Cf", "Cs", "Co", "Cn", "L", "P", "S", "Z"])
    | st.sampled_from("\x00\x1b[]<>&\"'\r\n\ufffe\uffff\ud800"),
    max_size=60,
)


@given(hostile, hostile)
def test_whatever_is_said_can_be_read_back(text: str, attribute: str) -> None:
    element = ET.Element("a", {"b": xml_text(attribute)})
    element.text = xml_text(text)
    content = ET.tostring(element, encoding="utf-8")
    for read in (ET.fromstring(content), etree.fromstring(content)):
        assert (read.text or "", read.get("b")) == (xml_text(text), xml_text(attribute))
    assert etree.tostring(etree.fromstring(content))


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cn", "Co"], exclude_characters="\ufffe\uffff")))
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert xml_text(text) == text


@given(hostile)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert xml_text(xml_text(text)) == xml_text(text)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07x", "x"),
        ("\x1b]8;;http://e\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("a\x1b]never ended", "anever ended"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("\x00\ud800\ufffe", "\ufffd\ufffd\ufffd"),
        ("\x1b", "\ufffd"),
    ],
)
def test_what_a_terminal_takes_as_an_instruction_is_gone(text: str, left: str) -> None:
    assert xml_text(text) == left
