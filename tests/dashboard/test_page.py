"""The page in a real browser, over a real server, while the real command line works."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.cli.running import Fifo, command, configure, configure_stages, finish, pipeline, run, start
from tests.dashboard import embedded
from tests.dashboard.browser import PATIENCE_MILLISECONDS, Complaints, browsing, find_browser
from tests.dashboard.serving import free_port, serving
from tests.reading.records import entry_line, timed_id

expect.set_options(timeout=PATIENCE_MILLISECONDS)

HOSTILE = '<img src=x onerror="alert(1)">'


@pytest.fixture
def browser() -> Iterator[tuple[Page, Complaints]]:
    find_browser()
    with browsing() as opened:
        yield opened


def test_the_page_shows_a_run_from_assigned_over_running_to_its_outcome_while_the_command_line_runs_it(
    tmp_path: Path, browser: tuple[Page, Complaints]
) -> None:
    page, complaints = browser
    told, go = Fifo(tmp_path / "told"), Fifo(tmp_path / "go")
    stages = (
        command("first", "echo up > told; echo hello; read x < go"),
        *(command(name, "true", needs=["first"]) for name in ("left", "right")),
    )
    configure(tmp_path, pipeline("p", *stages, title="Watched", parallel=True))
    with serving(tmp_path) as served:
        page.goto(served.address)
        expect(page.get_by_text("No runs yet")).to_be_visible()
        process = start(tmp_path, "run", "--task", "t", "-j", "2")
        told.wait_for("up")
        page.locator(".live").get_by_role("link", name="Watched").click()
        words = page.locator(".instances .word")
        expect(words).to_have_text(["running", "assigned"])
        expect(page.locator(".timeline .word")).to_have_text(["running", "waiting", "waiting"])
        expect(page.locator(".verdict .word")).to_have_text("running")
        expect(page.locator(".log")).to_have_text("hello\n")
        assert "succeeded" not in page.locator("main").inner_text()
        earlier = page.locator(".verdict .clock").inner_text()
        expect(page.locator(".verdict .clock")).not_to_have_text(earlier)
        os.write(os.open(go.path, os.O_RDWR | os.O_NONBLOCK), b"x\n")
        expect(page.locator(".verdict .word")).to_have_text("succeeded")
        expect(words).to_have_text(["succeeded", "succeeded"])
        expect(page.locator("#news")).to_contain_text("of t: succeeded")
        assert finish(process).code == 0
        page.get_by_role("link", name="orchestrator-py").click()
        expect(page.locator(".runs tbody .word")).to_have_text(["succeeded"])
        expect(page.locator(".tiles")).to_contain_text("100 %")
        page.locator(".tasks").get_by_role("link", name="t", exact=True).click()
        expect(page.locator(".chart canvas")).to_have_count(2)
    assert (complaints.without_lost_connections(), complaints.away) == ([], [])


def test_the_list_says_that_it_does_not_look_at_all_of_a_long_history(tmp_path: Path, browser: tuple[Page, Complaints]) -> None:
    page, complaints = browser
    (tmp_path / ".runs" / "t").mkdir(parents=True)
    (tmp_path / ".runs" / "t" / "metrics.json").write_bytes(b"".join(entry_line(timed_id(number)) for number in range(1001)))
    with serving(tmp_path) as served:
        page.goto(served.address)
        expect(page.locator(".tools .note")).to_have_text(re.compile("^50 shown, 1.000 or more on record$"))
    assert (complaints.without_lost_connections(), complaints.away) == ([], [])


def test_the_output_is_that_of_the_subtask_that_runs_until_somebody_chooses_another_one(
    tmp_path: Path, browser: tuple[Page, Complaints]
) -> None:
    page, complaints = browser
    fifos = [Fifo(tmp_path / name) for name in ("one", "two", "three")]
    configure_stages(tmp_path, *(command(fifo.path.name, f"echo this is {fifo.path.name}; read x < {fifo.path.name}") for fifo in fifos))
    log, address = page.locator(".log"), ""
    with serving(tmp_path) as served:
        page.goto(served.address)
        process = start(tmp_path, "run", "--task", "t")
        page.locator(".live").get_by_role("link", name="p", exact=True).click()
        for fifo in fifos[:2]:
            expect(log).to_have_text(f"this is {fifo.path.name}\n")
            address = address or page.url
            if fifo is fifos[0]:
                os.write(os.open(fifo.path, os.O_RDWR | os.O_NONBLOCK), b"x\n")
        assert page.url == address
        page.locator(".timeline").get_by_role("link", name="one").click()
        expect(log).to_have_text("this is one\n")
        os.write(os.open(fifos[1].path, os.O_RDWR | os.O_NONBLOCK), b"x\n")
        expect(page.locator(".timeline .word")).to_have_text(["succeeded", "succeeded", "running"])
        expect(log).to_have_text("this is one\n")
        page.get_by_role("link", name="follow what runs").click()
        expect(log).to_have_text("this is three\n")
        os.write(os.open(fifos[2].path, os.O_RDWR | os.O_NONBLOCK), b"x\n")
        expect(page.locator(".verdict .word")).to_have_text("succeeded")
        assert finish(process).code == 0
        expect(log).to_have_text("this is three\n")
        expect(page.get_by_role("link", name="follow what runs")).to_be_hidden()
    assert (complaints.without_lost_connections(), complaints.away) == ([], [])


def test_a_run_inside_another_program_is_seen_running_and_then_with_what_is_on_record(
    tmp_path: Path, browser: tuple[Page, Complaints]
) -> None:
    page, complaints = browser
    with serving(tmp_path) as served:
        page.goto(served.address)
        expect(page.get_by_text("No runs yet")).to_be_visible()
        program = embedded.start(tmp_path, "one")
        page.locator(".live").get_by_role("link", name="Nightly", exact=True).click()
        expect(page.locator(".timeline .word")).to_have_text(["succeeded", "running"])
        expect(page.locator(".verdict .word")).to_have_text("running")
        expect(page.locator(".instances .word").first).to_have_text("running")
        expect(page.locator(".log")).to_be_hidden()
        assert page.locator(".timeline a").count() == 0
        assert embedded.finish(program) == "succeeded"
        expect(page.locator(".verdict .word")).to_have_text("succeeded")
        expect(page.locator(".timeline .word")).to_have_text(["succeeded", "succeeded"])
        expect(page.get_by_text("When each of them ran is not on record.")).to_be_visible()
        expect(page.get_by_role("heading", level=1)).to_have_text("Nightly")
        expect(page.locator(".instances .word")).to_have_text(["succeeded", "succeeded"])
    assert (complaints.without_lost_connections(), complaints.away) == ([], [])


def test_the_page_comes_back_after_the_server_has_been_away_and_shows_what_happened_meanwhile(
    tmp_path: Path, browser: tuple[Page, Complaints]
) -> None:
    page, complaints = browser
    configure_stages(tmp_path, command("one", "true"))
    assert run(tmp_path, "run", "--task", "before").code == 0
    port, connection = free_port(), page.locator("#connection")
    with serving(tmp_path, port=port) as served:
        page.goto(served.address)
        expect(connection).to_have_text("live")
        expect(page.locator(".runs tbody tr")).to_have_count(1)
    expect(connection).to_have_text("reconnecting")
    configure_stages(tmp_path, command("one", "exit 3"))
    assert run(tmp_path, "run", "--task", "meanwhile").code == 1
    with serving(tmp_path, port=port):
        expect(connection).to_have_text("live")
        expect(page.locator(".runs tbody .word")).to_have_text(["failed", "succeeded"])
    assert (complaints.without_lost_connections(), complaints.away) == ([], [])


def test_ids_and_output_that_mean_harm_are_text(tmp_path: Path, browser: tuple[Page, Complaints]) -> None:
    page, complaints = browser
    configure(tmp_path, pipeline("p", command(HOSTILE, f"echo '{HOSTILE}'; printf '\\033[31mred\\033[0m'; exit 1"), title=HOSTILE))
    task = "'onclick=alert(1) &lt;%2f#"
    assert run(tmp_path, "run", "--task", task).code == 1
    with serving(tmp_path) as served:
        page.goto(served.address)
        page.locator(".tasks").get_by_role("link", name=task, exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(task)
        expect(page.locator(".worst")).to_contain_text(HOSTILE)
        page.locator(".runs tbody th a").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
        expect(page.locator(".log")).to_have_text(f"{HOSTILE}\nred")
        assert page.locator("main img, main [onclick], main [onerror]").count() == 0
    assert (complaints.without_lost_connections(), complaints.away) == ([], [])


def test_a_phone_needs_no_sideways_scrolling_and_a_keyboard_reaches_everything(tmp_path: Path) -> None:
    find_browser()
    configure_stages(tmp_path, *(command(f"a-stage-with-a-rather-long-name-{number}", "echo x") for number in range(3)))
    assert run(tmp_path, "run", "--task", "a-task-with-a-rather-long-name-too").code == 0
    with serving(tmp_path) as served, browsing(width=360, height=740, scheme="dark") as (page, complaints):
        page.goto(served.address)
        expect(page.locator(".runs tbody tr")).to_have_count(1)
        expect(page.locator(".tasks a")).to_have_count(1)
        page.keyboard.press("Tab")
        expect(page.locator(":focus")).to_have_text("To the content")
        page.keyboard.press("Enter")
        expect(page.locator("#main")).to_be_focused()
        page.keyboard.press("Tab")
        expect(page.locator(":focus")).to_have_text("a-task-with-a-rather-long-name-too")
        page.keyboard.press("Enter")
        expect(page.locator(".chart canvas")).to_have_count(2)
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        page.locator(".runs tbody th a").press("Enter")
        expect(page.locator(".log")).to_have_text("x\n")
        expect(page).to_have_title(re.compile("a-task-with-a-rather-long-name-too"))
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        nameless = (
            "[...document.querySelectorAll('a, button, select')].filter((one) => !one.textContent.trim() && !one.labels?.length).length"
        )
        assert page.evaluate(nameless) == 0
        assert (complaints.errors, complaints.away) == ([], [])


def test_with_a_token_the_page_asks_for_it_and_then_is_live(tmp_path: Path, browser: tuple[Page, Complaints]) -> None:
    page, complaints = browser
    with serving(tmp_path, variables={"ORCHESTRATOR_PY_TOKEN": "correct-horse-battery"}) as served:
        page.goto(served.address)
        page.get_by_label("Token of this dashboard").fill("correct-horse-battery")
        page.get_by_role("button", name="Open").click()
        expect(page.locator("#connection")).to_have_text("live")
        assert page.url == served.address
    assert [error for error in complaints.without_lost_connections() if "401" not in error] == []
