"""Who may ask, and what nobody is told: real requests to a real process."""

import json
import signal
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.dashboard.guard import LOOPBACK, Policy, split_host
from orchestrator_py.dashboard.token import COOKIE, Token
from orchestrator_py.errors import InputError
from tests.cli.running import command, configure_stages, finish, run, start
from tests.dashboard.serving import refused, serving

TOKEN = "correct-horse-battery-staple"


def test_only_hosts_of_this_machine_are_answered_and_only_pages_of_our_own_may_ask(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        own = f"127.0.0.1:{served.port}"
        good: list[dict[str, str]] = [
            {},
            {"Host": f"localhost:{served.port}"},
            {"Host": f"[::1]:{served.port}"},
            {"Origin": f"http://{own}"},
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
        ]
        foreign = [
            {"Host": f"evil.example:{served.port}"},
            {"Host": "127.0.0.1:1"},
            {"Host": "127.0.0.1"},
            {"Host": ""},
            {"Host": f"127.0.0.1.evil.example:{served.port}"},
            {"Host": f"127.0.0.1@evil.example:{served.port}"},
            {"Origin": "http://evil.example"},
            {"Origin": "null"},
            {"Origin": f"http://{own}.evil.example"},
            {"Origin": "http://127.0.0.1:1"},
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        ]
        for path in ("/", "/api/tasks", "/api/events?task=x&run=y", "/metrics", "/static/app.js", "/nothing"):
            assert {served.ask(path, headers)[0] for headers in foreign} <= {403, 421}, path
        assert {served.ask("/api/tasks", headers)[0] for headers in good} == {200}


def test_every_answer_forbids_what_a_page_does_not_need_and_lets_nobody_read_across_origins(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        for path in ("/", "/api/tasks", "/api/tasks/none", "/static/app.js", "/static/nothing", "/nothing"):
            _, _, headers = served.ask(path, {"Origin": f"http://127.0.0.1:{served.port}"})
            assert headers["content-security-policy"].startswith("default-src 'self';")
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")
            assert not any(name.startswith("access-control-") for name in headers)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_but_reading_is_offered(tmp_path: Path, method: str) -> None:
    with serving(tmp_path) as served:
        assert {served.ask(path, method=method)[0] for path in ("/", "/api/runs", "/api/events", "/metrics", "/static/app.js")} == {405}
    assert list(tmp_path.iterdir()) == []


# Paths -----------------------------------------------------------------------------------------------------------------


def test_no_path_leaves_the_runs_folder_and_links_that_lead_out_are_refused(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    for folder in (inside, outside):
        folder.mkdir()
        configure_stages(folder, command("one", "echo a secret"))
        assert run(folder, "run", "--task", "t").code == 0
    (theirs,) = (outside / ".runs" / "t" / "cli").iterdir()
    (ours,) = (inside / ".runs" / "t" / "cli").iterdir()
    (inside / ".runs" / "linked").symlink_to(outside / ".runs" / "t")
    (inside / ".runs" / "t" / "cli" / theirs.name).symlink_to(theirs)
    (ours / "commands").rename(ours / "moved")
    (ours / "commands").symlink_to(theirs / "commands")
    with serving(inside) as served:
        for path in (
            f"/api/runs/linked/{theirs.name}",
            "/api/tasks/linked",
            "/api/runs?task=linked",
            f"/api/runs/t/{theirs.name}",
            f"/api/runs/t/{ours.name}/log/1",
            f"/api/events?task=t&run={ours.name}&stage=1",
            f"/api/runs/..%2f..%2f..%2foutside%2f.runs%2ft/{theirs.name}",
            f"/api/runs/../../../outside/.runs/t/{theirs.name}",
            "/api/tasks/..",
            "/api/tasks/%2e%2e",
            "/api/tasks/local-mcp",
            "/static/../app.py",
            "/static/..%2fapp.py",
            "/static/%2fetc%2fpasswd",
        ):
            status, body, _ = served.ask(path)
            assert status in (404, 422), (path, status, body)
            assert b"secret" not in body
            assert str(tmp_path).encode() not in body
        told = served.read("/api/tasks")
        assert "linked/cli: leads out of the runs folder" in json.dumps(told)
        assert str(tmp_path) not in json.dumps(told)


def test_a_runs_folder_that_is_a_link_is_told_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere" / "t" / "cli").mkdir(parents=True)
    (tmp_path / ".runs").symlink_to(tmp_path / "elsewhere")
    with serving(tmp_path) as served:
        told = served.read("/api/tasks")
        assert (told["tasks"], told["problems"]) == ([], [".: is a symbolic link where a folder belongs"])


# Secrets ---------------------------------------------------------------------------------------------------------------


def test_resume_tokens_environment_commands_and_places_are_not_told(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("one", 'test -n "$COLOUR" && exit 3 # hush', env={"COLOUR": "confidential"}))
    assert run(tmp_path, "run", "--task", "t").code == 1
    (folder,) = (tmp_path / ".runs" / "t" / "cli").iterdir()
    secret = (folder / ".resume-token").read_text().strip()
    assert len(secret) == 64
    with (
        serving(tmp_path, variables={"SOME_VARIABLE": "confidential"}) as served,
        served.stream(f"?task=t&run={folder.name}&stage=1") as stream,
    ):
        paths = (
            "/api/tasks",
            "/api/tasks/t",
            "/api/runs",
            f"/api/runs/t/{folder.name}",
            f"/api/runs/t/{folder.name}/log/1",
            "/metrics",
            "/",
        )
        told = b"".join(served.ask(path)[1] for path in paths) + json.dumps(stream.wait_for("run")).encode()
    for hidden in (secret, "confidential", "hush", str(tmp_path)):
        assert hidden.encode() not in told


# The token -------------------------------------------------------------------------------------------------------------


def test_with_a_token_nobody_gets_in_without_it(tmp_path: Path) -> None:
    with serving(tmp_path, variables={"ORCHESTRATOR_PY_TOKEN": TOKEN}) as served:
        for path in ("/api/tasks", "/api/runs", "/api/events", "/api/openapi.json", "/metrics", "/nothing"):
            assert served.ask(path)[0] == 401
            assert served.ask(path, {"Authorization": f"Bearer {TOKEN}x"})[0] == 401
            assert served.ask(path, {"Authorization": f"Basic {TOKEN}"})[0] == 401
            assert served.ask(path, {"Cookie": f"{COOKIE}={TOKEN}"})[0] == 401
            assert served.ask(f"{path}?token={TOKEN}")[0] == 401
        assert served.ask("/api/tasks", {"Authorization": f"Bearer {TOKEN}"})[0] == 200
        status, page, _ = served.ask("/")
        assert (status, b"<form" in page) == (401, True)


def test_the_form_gives_a_cookie_that_opens_it_and_does_not_hold_the_token(tmp_path: Path) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    with serving(tmp_path, "--token", TOKEN) as served:
        assert served.ask("/login", form, "POST", "token=wrong")[0] == 403
        assert served.ask("/login", form, "POST", "token=" + "x" * 100_000)[0] == 403
        assert served.ask("/login", {**form, "Origin": "http://evil.example"}, "POST", f"token={TOKEN}")[0] == 403
        status, _, headers = served.ask("/login", form, "POST", f"token={TOKEN}")
        assert (status, headers["location"]) == (303, "./")
        assert "HttpOnly" in headers["set-cookie"]
        assert "samesite=strict" in headers["set-cookie"].lower()
        assert TOKEN not in headers["set-cookie"]
        assert served.ask("/api/tasks", {"Cookie": headers["set-cookie"].partition(";")[0]})[0] == 200


def test_the_token_is_never_printed(tmp_path: Path) -> None:
    process = start(tmp_path, "serve", "--port", "0", "--token", TOKEN)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("http://127.0.0.1:")
    process.send_signal(signal.SIGTERM)
    finished = finish(process)
    assert finished.code == -signal.SIGTERM
    assert TOKEN not in finished.stdout + finished.stderr
    assert TOKEN not in repr(Policy(token=Token(TOKEN)))


def test_beyond_loopback_a_token_is_required_and_then_any_address_but_no_strange_name_will_do(tmp_path: Path) -> None:
    alone = refused(tmp_path, "--host", "0.0.0.0", "--port", "0")
    assert (alone.code, alone.stdout) == (2, "")
    assert "--token" in alone.stderr
    with serving(tmp_path, "--host", "0.0.0.0", "--allow-host", "dash.example", variables={"ORCHESTRATOR_PY_TOKEN": TOKEN}) as served:
        mine = {"Authorization": f"Bearer {TOKEN}"}
        assert served.ask("/api/tasks", {**mine, "Host": "192.0.2.7:80"})[0] == 200
        assert served.ask("/api/tasks", {**mine, "Host": "dash.example"})[0] == 200
        assert served.ask("/api/tasks", {**mine, "Host": "evil.example"})[0] == 421


# Starting --------------------------------------------------------------------------------------------------------------


def test_a_port_that_is_taken_a_strange_host_and_a_short_token_are_sentences(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        busy = refused(tmp_path, "--port", str(taken.getsockname()[1]))
    assert (busy.code, "--port 0" in busy.stderr) == (2, True)
    for words in (["--host", "nowhere.invalid"], ["--token", "short"], ["--port", "70000"], ["--root", str(tmp_path / "none")]):
        found = refused(tmp_path, "--port", "0", *words)
        assert (found.code, found.stdout, "Traceback" in found.stderr) == (2, "", False), words


def test_a_missing_extra_is_named_with_its_remedy(tmp_path: Path) -> None:
    (tmp_path / "starlette").mkdir()
    (tmp_path / "starlette" / "__init__.py").write_text("raise ModuleNotFoundError('gone', name='starlette')")
    from tests.cli.running import PROJECT

    found = refused(tmp_path, "--port", "0", variables={"PYTHONPATH": f"{tmp_path}:{PROJECT}"})
    assert (found.code, found.stderr.count("\n")) == (2, 1)
    assert "pip install 'orchestrator-py[dashboard]'" in found.stderr


# Rules by themselves ---------------------------------------------------------------------------------------------------


@given(st.text(max_size=40))
def test_no_text_but_our_names_is_a_host_of_ours(text: str) -> None:
    if Policy().knows_host(text):
        assert split_host(text)[0] in LOOPBACK


@given(st.text(max_size=60))
def test_no_other_text_is_the_token(text: str) -> None:
    assert Token(TOKEN).matches(text) is (text == TOKEN)


@pytest.mark.parametrize("text", ["", "fifteen-letters", "ümlaut-ümlaut-ümlaut", "a\nb" * 10])
def test_a_token_that_could_be_guessed_or_not_be_sent_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="token_urlsafe"):
        Token(text)
