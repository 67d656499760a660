"""`review` as a real process: nothing but a reviewer's word is an approval."""

import json
import signal
import time
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path

import pytest

from orchestrator_py.cli.review_place import find_run
from tests.cli.running import (
    NOTHING,
    Data,
    Fifo,
    Finished,
    Hold,
    as_list,
    command,
    finish,
    only_record,
    pipeline,
    read_object,
    run,
    snapshot,
    start,
)
from tests.cli.test_start_up import imported
from tests.guards.repositories import Repository, repository
from tests.reading.records import stage, timed_id, write_run

QUIET = dict.fromkeys(
    (
        "BASE_SHA", "DIFF_BUDGET_BASE", "DIFF_BUDGET_MAX_FILES", "DIFF_BUDGET_MAX_LINES", "DIFF_BUDGET_STAGE", "GITHUB_ACTIONS", "MANIFEST",
        "NOTES", "SKIP_DIFF_BUDGET", "TASK",
    ),
    "",
)  # fmt: skip
TELLER = "sh -c 'echo up > told; exec sleep 300' & wait"


def review(repo: Repository, *words: str, variables: Mapping[str, str] = NOTHING) -> Finished:
    return run(repo.path, "review", *words, variables={**QUIET, **variables})


def configure(repo: Repository, reviewer: str | None, **guardrails: object) -> None:
    repo.put(
        "codex.orchestrator.json", json.dumps({"guardrails": {**guardrails, **({"review": {"command": reviewer}} if reviewer else {})}})
    )
    repo.put(".gitignore", "/.runs\n/out\n/got\n/told\n/held\n")


def folder(repo: Repository, number: int = 1, task: str = "t") -> Path:
    return repo.path / ".runs" / task / "cli" / timed_id(number)


def result(repo: Repository, number: int = 1) -> Data:
    return read_object(folder(repo, number) / "review.json")


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    """A run is on record; what is configured, and not committed, is the change."""
    made = repository(tmp_path / "r ä")
    write_run(made.path / ".runs", timed_id(1), stage("build", summary="built"), pipeline_title="Release")
    return made


def test_an_approval_is_exit_code_0_and_the_reviewer_has_read_the_evidence(repo: Repository) -> None:
    configure(repo, "cat > got; echo fine; echo aside >&2")
    done = review(repo, "--title", "A title", "--format", "json", variables={"NOTES": "mind the gap"})
    assert done.code == 0
    document = done.document()
    assert (document["decision"], document["feedback"], document["exit_code"]) == ("approved", "fine", 0)
    assert document["head"] == repo.git("rev-parse", "HEAD").strip()
    assert (document["findings"], document["notes"]) == ([], [])
    assert {key: value for key, value in document.items() if key not in ("findings", "notes")} == result(repo)
    text = (folder(repo) / "review.md").read_text()
    assert (repo.path / "got").read_text() == text
    for part in ("# Review: A title", "build: succeeded: built", "mind the gap", "- codex.orchestrator.json: 1 lines", "of 25 files"):
        assert part in text
    assert {"fine", "aside"} <= set(done.stderr.splitlines())


@pytest.mark.parametrize(
    ("reviewer", "words", "code", "decision", "detail", "feedback"),
    [
        ("echo no tests; exit 7", [], 3, "rejected", "exit code 7", "no tests"),
        ("""echo '{"approved": false, "feedback": "again"}'""", [], 3, "rejected", "decision says", "again"),
        ("echo half; kill -KILL $$", [], 6, "crashed", "SIGKILL", "half"),
        ("no-such-reviewer --now", [], 6, "crashed", "could not be started", "no-such-reviewer"),
        ("echo slow; exec sleep 300", ["--timeout", "0.5"], 6, "crashed", "took longer than 0.5 s", "slow"),
    ],
)
def test_everything_else_is_none(
    repo: Repository, reviewer: str, words: list[str], code: int, decision: str, detail: str, feedback: str
) -> None:
    configure(repo, reviewer)
    done = review(repo, *words)
    assert done.code == code
    told = result(repo)
    assert told["decision"] == decision
    assert detail in str(told["detail"])
    assert feedback in str(told["feedback"])
    assert done.stdout.splitlines()[1].startswith(f"review: {decision}; ")
    assert feedback in done.stdout


def test_without_a_reviewer_the_evidence_is_handed_on_and_nobody_has_reviewed(repo: Repository) -> None:
    configure(repo, None)
    done = review(repo)
    assert done.code == 5
    assert done.stdout == (folder(repo) / "review.md").read_text()
    assert "nobody has reviewed this: no reviewer is configured" in done.stderr
    assert result(repo)["decision"] == "not_reviewed"
    document = review(repo, "--format", "json").document()
    assert (document["decision"], document["hand_off"]) == ("not_reviewed", done.stdout)
    status = run(repo.path, "status").stdout
    assert "  review: not reviewed; nobody has reviewed this: no reviewer is configured" in status


def test_a_dry_run_asks_nobody_and_writes_nothing(repo: Repository) -> None:
    configure(repo, "touch got")
    before = snapshot(repo.path / ".runs")
    done = review(repo, "--dry-run")
    assert done.code == 5
    assert done.stdout.startswith("# Review: Release\n")
    assert "nobody has reviewed this: --dry-run" in done.stderr
    assert review(repo, "--dry-run", "--format", "json").document()["review"] is None
    assert not (repo.path / "got").exists()
    assert snapshot(repo.path / ".runs") == before


def test_a_change_over_its_budget_is_not_given_to_the_reviewer(repo: Repository) -> None:
    configure(repo, "touch got", maxLines=2)
    repo.put("src/b.py", "1\n2\n3\n")
    done = review(repo, "--format", "json")
    assert done.code == 1
    assert (done.document()["decision"], [one["rule"] for one in as_list(done.document()["findings"])]) == ("not_reviewed", ["diff-lines"])
    assert not (repo.path / "got").exists()
    for variables in ({"SKIP_DIFF_BUDGET": "Yes"}, {"DIFF_BUDGET_STAGE": "1"}, {"DIFF_BUDGET_OVERRIDE_REASON": "moved"}):
        assert review(repo, variables=variables).code == 0
        (repo.path / "got").unlink()
    assert "diff-budget: 1 finding (waived: moved)" in (folder(repo) / "review.md").read_text()
    assert review(repo, "--commit", "HEAD").code == 1  # the template's own commit has more than two lines
    assert review(repo, variables={"SKIP_DIFF_BUDGET": "no"}).code == 1


def test_an_approval_of_another_time_does_not_stay(repo: Repository) -> None:
    told = Fifo(repo.path / "told")
    configure(repo, "true")
    assert review(repo).code == 0
    configure(repo, TELLER)
    process = start(repo.path, "review", variables=QUIET)
    told.wait_for("up")
    assert result(repo)["decision"] == "not_reviewed"
    process.kill()
    assert finish(process).code == -signal.SIGKILL
    assert (result(repo)["decision"], result(repo)["completed_at"]) == ("not_reviewed", None)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_reviewer_with_its_group_and_then_us(repo: Repository, number: signal.Signals) -> None:
    told, held = Fifo(repo.path / "told"), Hold(repo.path / "held")
    configure(repo, f"exec 9> held; {TELLER}")
    process = start(repo.path, "review", "--format", "json", variables=QUIET)
    told.wait_for("up")
    process.send_signal(number)
    done = finish(process)
    assert done.code == -number
    held.wait_until_let_go()
    assert done.document()["decision"] == result(repo)["decision"] == "cancelled"
    assert f"stopped by {number.name}" in str(result(repo)["detail"])


def test_a_second_signal_kills_a_reviewer_that_does_not_listen(repo: Repository) -> None:
    told, held = Fifo(repo.path / "told"), Hold(repo.path / "held")
    configure(repo, "trap 'echo term > told' TERM; exec 9> held; echo up > told; while :; do sleep 300 & wait; done")
    process = start(repo.path, "review", variables=QUIET)
    told.wait_for("up")
    process.send_signal(signal.SIGINT)
    told.wait_for("term")
    process.send_signal(signal.SIGINT)
    assert finish(process).code == -signal.SIGINT
    held.wait_until_let_go()


def wait_for_result(repo: Repository) -> str:
    while (decision := str(result(repo)["decision"])) == "not_reviewed":
        time.sleep(0.01)
    return decision


def test_who_does_not_read_stderr_holds_up_no_time_limit(repo: Repository) -> None:
    """Nobody reads until the review has ended and is on record."""
    held, told = Hold(repo.path / "held"), Fifo(repo.path / "told")
    configure(repo, "exec 9> held; echo up > told; yes")
    process = start(repo.path, "review", "--timeout", "2", variables=QUIET)
    told.wait_for("up")
    assert wait_for_result(repo) == "crashed"
    held.wait_until_let_go()
    assert "took longer than 2 s" in str(result(repo)["detail"])
    assert finish(process).code == 6


def test_who_does_not_read_stderr_holds_up_no_signal(repo: Repository) -> None:
    held, told = Hold(repo.path / "held"), Fifo(repo.path / "told")
    configure(repo, "exec 9> held; head -c 1000000 /dev/zero; echo up > told; yes")
    process = start(repo.path, "review", variables=QUIET)
    told.wait_for("up")
    process.send_signal(signal.SIGTERM)
    assert wait_for_result(repo) == "cancelled"
    held.wait_until_let_go()
    done = finish(process)
    assert done.code == -signal.SIGTERM
    assert "ending the reviewer (SIGTERM)" in done.stderr


def test_all_that_a_reviewer_says_is_shown_to_a_slow_reader(repo: Repository) -> None:
    """Far more than may wait; and a last line without an end."""
    configure(repo, "seq 2000000; printf end")
    done = review(repo)
    assert done.code == 0
    said = done.stderr.splitlines()
    assert said[-2000001:-1] == list(map(str, range(1, 2000001)))
    assert said[-1] == "end"


def test_the_newest_run_is_reviewed_unless_another_one_is_named(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = repo.path / ".runs"
    write_run(runs, timed_id(2), task="u")
    write_run(runs, timed_id(3), parent_run_id=timed_id(2))  # a part of another one
    first, second = str(folder(repo) / "manifest.json"), str(folder(repo, 2, "u") / "manifest.json")

    def found(**said: str) -> str:
        with monkeypatch.context() as variables:
            for name in ("MANIFEST", "CODEX_ORCHESTRATOR_MANIFEST_PATH", "TASK", "MCP_RUNNER_TASK_ID", "CODEX_ORCHESTRATOR_RUNS_DIR"):
                variables.setenv(name, said.get(name, ""))
            return find_run(Namespace(manifest=said.get("manifest"), task=said.get("task"), runs_dir=None), str(repo.path)).run_id

    assert found() == timed_id(2)
    assert found(task="t") == found(TASK="t", MCP_RUNNER_TASK_ID="u") == found(MCP_RUNNER_TASK_ID="t") == timed_id(1)
    assert found(manifest=first) == found(MANIFEST=first, CODEX_ORCHESTRATOR_MANIFEST_PATH=second) == timed_id(1)
    assert found(manifest=first, MANIFEST=second) == timed_id(1)
    assert found(task="t", CODEX_ORCHESTRATOR_MANIFEST_PATH=second) == timed_id(1)
    (repo.path / "link.json").symlink_to(first)
    assert found(manifest=str(repo.path / "link.json")) == timed_id(1)


@pytest.mark.parametrize(
    ("words", "variables", "said"),
    [
        (["--no-such"], {}, "unrecognized arguments: --no-such"),
        (["--base", "HEAD", "--commit", "HEAD"], {}, "not allowed with argument"),
        (["--base", "HEAD", "--uncommitted"], {}, "not allowed with argument"),
        (["--base", "nope"], {}, "'nope' names no commit"),
        ([], {"DIFF_BUDGET_BASE": "nope"}, "'nope' names no commit"),
        (["--timeout", "0"], {}, "--timeout is '0'"),
        (["--timeout", "nan"], {}, "--timeout is 'nan'"),
        (["--task", "nobody"], {}, "there is no run of task nobody to review"),
        (["--task", "../x"], {}, "Invalid task ID"),
        (["--manifest", "codex.orchestrator.json"], {}, "no manifest of a command-line run"),
        (["--manifest", ".runs/t/cli/gone/manifest.json"], {}, "nothing is there"),
        ([], {"MANIFEST": "gone"}, "MANIFEST is 'gone'"),
        ([], {"DIFF_BUDGET_MAX_FILES": "x"}, "DIFF_BUDGET_MAX_FILES is 'x'"),
    ],
    ids=str,
)
def test_what_makes_no_sense_ends_with_2(repo: Repository, words: list[str], variables: Mapping[str, str], said: str) -> None:
    configure(repo, "touch got")
    done = review(repo, *words, variables=variables)
    assert (done.code, done.stdout) == (2, "")
    assert said in done.stderr
    assert not (repo.path / "got").exists()
    assert not (folder(repo) / "review.json").exists()


def test_a_named_manifest_of_another_task_is_refused(repo: Repository) -> None:
    done = review(repo, "--task", "u", "--manifest", str(folder(repo) / "manifest.json"))
    assert done.code == 2
    assert "is a run of task t, not of u" in done.stderr


def test_what_cannot_be_put_on_record_is_no_approval(repo: Repository) -> None:
    configure(repo, "touch got")
    (folder(repo) / "review.json").mkdir()
    done = review(repo, "--format", "json")
    assert (done.code, done.document()["exit_code"]) == (74, 74)
    assert "review.json: is a folder where a file belongs" in done.stderr
    assert not (repo.path / "got").exists()


def test_without_git_the_run_alone_is_reviewed(tmp_path: Path) -> None:
    write_run(tmp_path / ".runs", timed_id(1))
    (tmp_path / "codex.orchestrator.json").write_text('{"guardrails": {"review": {"command": "grep -q \\"No git work tree\\""}}}')
    done = run(tmp_path, "review", variables=QUIET)
    assert done.code == 0
    assert "there is no git work tree here" in done.stderr


def test_annotations_for_a_workflow(repo: Repository) -> None:
    configure(repo, "echo '::error::mine'; exit 1")
    done = review(repo, variables={"GITHUB_ACTIONS": "true"})
    assert done.code == 3
    assert [line for line in done.stderr.splitlines() if line.startswith("::")] == ["::error title=review%3A rejected::::error::mine"]
    assert not [line for line in done.stdout.splitlines() if line.startswith("::")]


def test_without_a_reviewer_no_event_loop_is_needed(repo: Repository) -> None:
    (repo.path / "codex.orchestrator.json").write_text("{}")
    code, modules = imported(repo.path, "review", "--dry-run")
    assert code == 5
    assert modules & {"asyncio", "anyio", "aiofiles"} == set()


def test_as_a_stage_it_reviews_the_run_that_goes_on(repo: Repository) -> None:
    stages = [command("lint", "true", guardrail=True), command("ask", '"$CODEX_ORCHESTRATOR_PYTHON" -m orchestrator_py review')]
    whole = {"guardrails": {"review": {"command": "grep -q 'which goes on' && echo seen"}}, "pipelines": [pipeline("p", *stages)]}
    (repo.path / ".runs" / "t").rename(repo.path / "elsewhere")
    repo.put("codex.orchestrator.json", json.dumps(whole))
    assert run(repo.path, "run", variables=QUIET).code == 0
    record = only_record(repo.path)
    assert read_object(record.folder / "review.json")["decision"] == "approved"
    assert "- Guardrails: lint, ask partial" in (record.folder / "review.md").read_text()
    assert "  reviews: approved 1" in run(repo.path, "report").stdout
