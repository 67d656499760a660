"""`report --format html`: from the real program to the file, and to a real browser where there is one."""

import json
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from orchestrator_py.store.files import replace_bytes
from tests.cli.running import Data, as_object, command, configure, configure_stages, pipeline, run, subpipeline
from tests.cli.test_report import five_runs, reported
from tests.pages.parsed import Parsed
from tests.reading.records import entry_line, stage, timed_id, write_run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


STAGES, TIME, END = ("lint", "unit", "build", "browser"), "2025-12-21T14:02:47.637Z", "2025-12-21T14:02:49.637Z"


def figures(page: str) -> dict[str, float]:
    return {key: float(value) for key, value in re.findall(r'data-figure="?(\w+)"?><data value="?([^" >]+)"?>', page)}


def history(root: Path, runs: int, names: Sequence[str] = STAGES, lanes: int = 2) -> None:
    """Of command-line runs; in every seventh one the second stage failed."""
    for number in range(1, runs + 1):
        bad = number % 7 == 0
        stages = [stage(name, "failed" if bad and name == names[1] else "succeeded", started_at=TIME, completed_at=END) for name in names]
        plan = {
            "assignments": [{"instance_id": f"t-general-0{n}", "capability": "general", "status": "succeeded"} for n in range(1, lanes + 1)]
        }
        write_run(root / ".runs", timed_id(number), *stages, status="failed" if bad else "succeeded", scheduler=plan)
    words = ["failed" if number % 7 == 0 else "succeeded" for number in range(1, runs + 1)]
    lines = [json.loads(entry_line(timed_id(n), status=word, seconds=n % 60 + 0.123)) for n, word in enumerate(words, start=1)]
    told = [{**line, "started_at": TIME, "commands_passed": 4, "commands_failed": 0, "padding": ""} for line in lines]
    (root / ".runs" / "t" / "metrics.json").write_text("".join(f"{json.dumps(line)}\n" for line in told))


def test_the_figures_are_those_of_the_json(tmp_path: Path) -> None:
    five_runs(tmp_path)
    page = run(tmp_path, "report", "--format", "html").stdout
    task = reported(tmp_path)
    duration = as_object(task["duration"])
    wanted = {key: duration[key] for key in ("median_seconds", "p95_seconds")}
    assert figures(page) == {"completion_rate": task["completion_rate"], **wanted}
    texts = " ".join(Parsed(page).texts)
    assert "5 runs: timed out 3, succeeded 2." in texts
    assert "baseline 2.0 s (+50 %)" in texts
    failing, flaky, waived = (task[key] for key in ("failing", "flaky", "waived"))
    rows = re.findall(r"<tr><th scope=row class=id>(\w+)<td class=n>(\d+)", page)
    assert [{"stage": name, "runs": int(runs)} for name, runs in rows] == [*_list(failing), *_list(flaky), *_list(waived)]


def _list(value: object) -> list[Data]:
    assert isinstance(value, list)
    return value


def test_a_real_run_is_told_with_its_instance_and_its_attempts(tmp_path: Path) -> None:
    flaky = command("f", "test -e again || { touch again; exit 1; }", retry={"maxAttempts": 2})
    configure_stages(tmp_path, flaky, command("bad", "exit 3"))
    assert run(tmp_path, "run").code == 1
    done = run(tmp_path, "report", "--format", "html", "-o", "report.html")
    assert (done.code, done.stdout, done.stderr) == (0, "", "")
    page = (tmp_path / "report.html").read_text()
    assert re.search(r"<tr><th scope=row>f<td><svg role=img><title>[^<]*attempt 1 failed[^<]*attempt 2 succeeded", page)
    assert re.search(r"<b class=succeeded>succeeded, flaky</b><td>0101-general-01", page)
    assert re.search(r"<b class=failed>failed</b><small> exit code 3</small><td>0101-general-01", page)


def test_every_attempt_of_a_sub_pipeline_counts(tmp_path: Path) -> None:
    child = pipeline("child", command("c", "echo x >> tried; test $(wc -l < tried) -ge 3"))
    configure(tmp_path, pipeline("p", subpipeline("sub", "child", retry={"maxAttempts": 3})), child)
    assert run(tmp_path, "run").code == 0
    page = run(tmp_path, "report", "--format", "html").stdout
    assert re.search(r"<tr><th scope=row>sub<td>((?!<tr>).)*succeeded, flaky</b>((<td>[^<]*){3})<td>3<", page)


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    five_runs(tmp_path)
    replace_bytes(tmp_path / "report.html", b"old", durable=False)
    before = os.stat(tmp_path / "report.html").st_ino
    assert run(tmp_path, "report", "--format", "html", "-o", "report.html").code == 0
    assert os.stat(tmp_path / "report.html").st_ino != before
    assert sorted(path.name for path in tmp_path.iterdir()) == [".runs", "report.html"]
    refused = run(tmp_path, "report", "--format", "html", "-o", "nowhere/report.html")
    assert refused.code == 74
    assert "nowhere/report.html" in refused.stderr
    assert run(tmp_path, "report", "--format", "html", "-o", "-").stdout.startswith("<!doctype html>")


def test_only_html_goes_to_a_file(tmp_path: Path) -> None:
    done = run(tmp_path, "report", "-o", "report.html")
    assert done.code == 2
    assert "only --format html goes to a file" in done.stderr


def test_in_a_workflow_the_page_on_stdout_is_still_the_page(tmp_path: Path) -> None:
    five_runs(tmp_path)
    plain, github = (run(tmp_path, "report", "--format", "html", variables={"GITHUB_ACTIONS": word}).stdout for word in ("", "true"))
    assert Parsed(plain).shape == Parsed(github).shape
    assert Parsed(plain).contents == Parsed(github).contents


@pytest.mark.parametrize(("stages", "lanes"), [(4, 2), (6, 2), (20, 4), (60, 30)])
def test_two_hundred_runs_fit_into_a_hundred_kilobytes_whatever_their_pipeline(tmp_path: Path, stages: int, lanes: int) -> None:
    history(tmp_path, 200, [f"integration-{number:02d}" for number in range(stages)], lanes)
    assert run(tmp_path, "report", "--format", "html", "--last", "200", "-o", "report.html").code == 0
    assert (tmp_path / "report.html").stat().st_size <= 100_000
    page = (tmp_path / "report.html").read_text()
    assert len(re.findall("<details class=run", page)) == {4: 4, 6: 3}.get(stages, 1)


def test_runs_in_which_nothing_ran_have_ended_and_are_counted_as_such(tmp_path: Path) -> None:
    configure(tmp_path, pipeline("p", command("a", "true")), pipeline("empty"))
    assert [run(tmp_path, "run", name).code for name in ("p", "empty", "empty")] == [0, 5, 5]
    page = run(tmp_path, "report", "--format", "html").stdout
    assert re.search("<th scope=col class=n>succeeded<th scope=col class=n>nothing ran<th scope=col class=n>Completion", page)
    (data,) = re.findall(r'<script type="?application/json"?>(.*?)</script>', page)
    assert json.loads(data)["counts"] == {"succeeded": [1, 0, 0], "nothing_ran": [0, 1, 1]}
    assert len(re.findall("<b class=nothing_ran>nothing ran</b>", page)) == 4  # in the table of runs, and as timelines


# In a browser -------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed: the page was not looked at in a browser")
def test_the_chart_of_outcomes_draws_every_word(tmp_path: Path) -> None:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: the page was not looked at in a browser")
    for number, detail in enumerate(("nothing-ran", "pipeline-error", None), start=1):
        write_run(tmp_path / ".runs", timed_id(number), status="failed" if detail else "succeeded", status_detail=detail)
    words = ("failed", "failed", "succeeded", "queued", "strange")
    lines = [entry_line(timed_id(number), status=word) for number, word in enumerate(words, start=1)]
    (tmp_path / ".runs" / "t" / "metrics.json").write_bytes(b"".join(lines))
    assert run(tmp_path, "report", "--format", "html", "-o", "report.html").code == 0
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto((tmp_path / "report.html").as_uri())
        drawn = page.locator("[data-chart=outcomes] .u-legend th").all_text_contents()
        assert drawn == ["From", *reversed(("succeeded", "failed", "nothing ran", "waiting", "unknown"))]
        assert page.locator("[data-chart=durations] .u-legend th").all_text_contents()[1:3] == ["succeeded", "did not succeed"]
        browser.close()


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed: the page was not looked at in a browser")
def test_a_browser_shows_charts_and_tables_and_asks_nobody(tmp_path: Path) -> None:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: the page was not looked at in a browser")
    history(tmp_path, 200)
    assert run(tmp_path, "report", "--format", "html", "--last", "200", "-o", "report.html").code == 0
    address = (tmp_path / "report.html").as_uri()
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for scheme, width, scripts in (("light", 1280, True), ("dark", 360, True), ("light", 360, False)):
            size = {"width": width, "height": 800}
            context = browser.new_context(viewport=size, color_scheme=scheme, java_script_enabled=scripts)
            page, said, asked = context.new_page(), list[str](), list[str]()
            page.on("console", lambda message, said=said: said.append(message.text))
            page.on("pageerror", lambda error, said=said: said.append(str(error)))
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            page.goto(address)
            assert page.locator("canvas").count() == (2 if scripts else 0)
            assert page.locator(".periods table").is_visible() is not scripts
            assert page.locator(".history tbody tr").count() == 50
            assert page.locator(".when tbody th").first.is_visible()
            assert page.locator("main").bounding_box()["width"] <= width
            if scripts:
                assert page.evaluate("document.documentElement.scrollWidth") <= width
                page.keyboard.press("Tab")
                assert page.evaluate("document.activeElement.className") == "skip"
                page.locator(".periods summary").focus()
                page.keyboard.press("Enter")
                assert page.locator(".periods table").is_visible()
                assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
            assert (said, asked) == ([], [address])
            context.close()
        browser.close()
