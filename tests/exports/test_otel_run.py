"""OpenTelemetry of real runs, at a real collector: true, in its words, and without any power over a run."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from orchestrator_py.model.timestamp import parse_timestamp
from tests.cli.running import (
    Fifo,
    Finished,
    command,
    configure,
    configure_stages,
    environment,
    finish,
    only_record,
    pipeline,
    run,
    start,
    subpipeline,
)
from tests.cli.test_start_up import imported
from tests.exports.collector import attributes, collecting, garbage, nobody, refusing, silence

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
RETRY = {"retry": {"maxAttempts": 2}}


def nanoseconds(timestamp: object) -> int:
    moment = parse_timestamp(timestamp)
    assert moment is not None
    return round(moment.timestamp() * 1000) * 1_000_000


def test_a_run_is_a_trace_of_its_stages_with_the_times_of_the_record(tmp_path: Path) -> None:
    configure_stages(
        tmp_path,
        command("good", "true"),
        command("flaky", "test -e once || { touch once; exit 1; }", **RETRY),
        command("waived", "exit 3", allowFailure=True),
        command("bad", "exit 4"),
        command("never", "true"),
    )
    with collecting() as collector:
        done = run(tmp_path, "run", "--task", "t", variables={ENDPOINT: f"{collector.url}/"})
    assert done.code == 1
    assert "telemetry" not in done.stderr
    spans, record = collector.spans, only_record(tmp_path, "t")
    root = spans.pop("RUN p")
    assert (root.kind, root.parent_span_id, root.status.code) == (Span.SPAN_KIND_SERVER, b"", Status.STATUS_CODE_ERROR)
    assert attributes(root.attributes) == {
        "cicd.pipeline.name": "p",
        "cicd.pipeline.run.id": record.folder.name,
        "cicd.pipeline.action.name": "RUN",
        "cicd.pipeline.result": "failure",
        "error.type": "failed",
        "orchestrator_py.task.id": "t",
        "orchestrator_py.planned": 5,
        "orchestrator_py.outcome": "failed",
    }
    assert [root.start_time_unix_nano, root.end_time_unix_nano] == [
        nanoseconds(record.manifest[key]) for key in ("started_at", "completed_at")
    ]
    attempts = [spans.pop(f"flaky attempt {number}") for number in (1, 2)]
    assert {attempt.parent_span_id for attempt in attempts} == {spans["flaky"].span_id}
    assert [attributes(attempt.attributes)["orchestrator_py.outcome"] for attempt in attempts] == ["failed", "succeeded"]
    assert attempts[0].end_time_unix_nano <= attempts[1].start_time_unix_nano
    assert set(spans) == {"good", "flaky", "waived", "bad", "never"}
    assert {span.parent_span_id for span in spans.values()} == {root.span_id}
    assert {span.trace_id for span in [root, *attempts, *spans.values()]} == {root.trace_id}
    results = {name: attributes(span.attributes)["cicd.pipeline.task.run.result"] for name, span in spans.items()}
    assert results == {"good": "success", "flaky": "success", "waived": "failure", "bad": "failure", "never": "cancellation"}
    assert [attributes(spans[name].attributes).get("process.exit.code") for name in spans] == [0, 0, 3, 4, None]
    for name in ("good", "flaky", "waived", "bad"):
        times = [nanoseconds(record.commands[name][key]) for key in ("started_at", "completed_at")]
        assert [spans[name].start_time_unix_nano, spans[name].end_time_unix_nano] == times
    assert spans["never"].start_time_unix_nano == spans["never"].end_time_unix_nano
    assert [spans[name].status.code for name in ("good", "bad", "never")] == [0, Status.STATUS_CODE_ERROR, 0]
    assert collector.resource()["service.name"] == "orchestrator-py"


def test_the_figures_of_a_run_have_the_words_of_the_conventions_and_no_ids(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("bad", "exit 4"), command("waived", "kill -9 $$", allowFailure=True))
    with collecting() as collector:
        run(tmp_path, "run", "--on-failure", "continue", variables={"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": f"{collector.url}/v1/metrics"})
    assert collector.traces == []
    figures, record = collector.figures, only_record(tmp_path)
    (duration,) = figures["cicd.pipeline.run.duration"].histogram.data_points
    about = {"cicd.pipeline.name": "p", "cicd.pipeline.run.state": "executing"}
    assert attributes(duration.attributes) == {**about, "cicd.pipeline.result": "failure", "error.type": "failed"}
    assert (duration.count, duration.sum) == (1, record.entry["duration_seconds"])
    (active,) = figures["cicd.pipeline.run.active"].sum.data_points
    assert (attributes(active.attributes), active.as_int) == (about, 0)
    errors = figures["cicd.pipeline.run.errors"].sum
    assert errors.is_monotonic
    assert {attributes(point.attributes)["error.type"]: point.as_int for point in errors.data_points} == {"failed": 1, "crashed": 1}
    assert "cicd.system.errors" not in figures


def test_child_runs_lie_in_the_trace_of_the_call_and_are_linked_both_ways(tmp_path: Path) -> None:
    configure(tmp_path, pipeline("outer", subpipeline("sub", "inner")), pipeline("inner", command("leaf", "true")))
    with collecting() as collector:
        assert run(tmp_path, "run", variables={ENDPOINT: collector.url}).code == 0
    spans = collector.spans
    outer, inner = spans["RUN outer"], spans["RUN inner"]
    assert inner.parent_span_id == outer.span_id
    assert spans["leaf"].parent_span_id == inner.span_id
    assert [link.span_id for link in inner.links] == [outer.span_id]
    assert [link.span_id for link in spans["sub"].links] == [inner.span_id]
    assert {span.trace_id for span in spans.values()} == {outer.trace_id}


def test_the_trace_around_a_run_goes_on_in_it_and_in_its_stages(tmp_path: Path) -> None:
    inner = f"{sys.executable} -m orchestrator_py run inner --task nested"
    configure(
        tmp_path,
        pipeline("outer", command("show", "echo $TRACEPARENT $TRACESTATE > seen"), command("nest", inner)),
        pipeline("inner", command("leaf", "true")),
    )
    with collecting() as collector:
        done = run(tmp_path, "run", "outer", variables={ENDPOINT: collector.url, "TRACEPARENT": PARENT, "TRACESTATE": "a=1"})
    assert done.code == 0, done.stderr
    spans = collector.spans
    _, trace_id, parent_id, _ = PARENT.split("-")
    assert {span.trace_id.hex() for span in spans.values()} == {trace_id}
    assert spans["RUN outer"].parent_span_id.hex() == parent_id
    assert spans["RUN outer"].trace_state == "a=1"
    assert (tmp_path / "seen").read_text() == f"00-{trace_id}-{spans['show'].span_id.hex()}-01 a=1\n"
    assert spans["RUN inner"].parent_span_id == spans["nest"].span_id


def test_a_trace_that_is_not_sampled_is_not_sent_and_stages_are_told(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("show", "echo $TRACEPARENT > seen"))
    with collecting() as collector:
        done = run(tmp_path, "run", variables={ENDPOINT: collector.url, "TRACEPARENT": f"{PARENT[:-1]}0"})
    assert (done.code, "telemetry" in done.stderr) == (0, False)
    assert (tmp_path / "seen").read_text().endswith("-00\n")
    assert collector.traces == []
    assert collector.metrics != []


def said(stderr: str) -> list[str]:
    """Without what differs from run to run."""
    return [re.sub(r"\d+\.\d s|\d{4}-\d\d-\d\dT[0-9a-zA-Z-]+", "…", line) for line in stderr.splitlines()]


GOOD_AND_BAD = (command("good", "true"), command("bad", "exit 4"))


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """How a run goes that nobody wants to hear of."""
    folder = tmp_path_factory.mktemp("alone")
    configure_stages(folder, *GOOD_AND_BAD)
    return run(folder, "run", "--format", "json")


@pytest.mark.parametrize("place", [nobody, silence, garbage, refusing])
def test_a_collector_that_fails_costs_one_line_and_no_verdict(
    tmp_path: Path, alone: Finished, place: Callable[[], AbstractContextManager[str]]
) -> None:
    configure_stages(tmp_path, *GOOD_AND_BAD)
    with place() as url:
        done = run(tmp_path, "run", "--format", "json", variables={ENDPOINT: url})
    assert done.code == alone.code == 1
    *others, warning = said(done.stderr)
    assert others == said(alone.stderr)
    assert warning.startswith("orchestrator-py: warning: telemetry is not complete at the collector: ")
    assert url.partition("//")[2] not in warning
    answers = [finished.document() for finished in (alone, done)]
    assert [answer["outcome"] for answer in answers] == ["failed", "failed"]
    assert only_record(tmp_path).statuses == {"good": "succeeded", "bad": "failed"}


def test_a_run_that_is_interrupted_tells_of_it_and_ends_by_the_signal(tmp_path: Path) -> None:
    ready = Fifo(tmp_path / "ready")
    configure_stages(tmp_path, command("long", "echo started > ready; sleep 60"))
    with collecting() as collector:
        process = start(tmp_path, "run", variables={ENDPOINT: collector.url})
        ready.wait_for("started")
        process.send_signal(signal.SIGINT)
        assert finish(process).code == -signal.SIGINT
    root, stage = collector.spans["RUN p"], collector.spans["long"]
    assert attributes(root.attributes)["cicd.pipeline.result"] == "cancellation"
    assert attributes(stage.attributes)["cicd.pipeline.task.run.result"] == "cancellation"
    assert [(event.name, attributes(event.attributes)) for event in root.events] == [("stopping", {"orchestrator_py.cause": "signal"})]
    assert root.status.code == stage.status.code == Status.STATUS_CODE_UNSET


def test_a_signal_that_comes_while_the_last_is_sent_comes_too_late(tmp_path: Path) -> None:
    """Nothing is sent before the end of a run as short as this: whoever connects has outlived its signals."""
    configure_stages(tmp_path, *GOOD_AND_BAD)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        process = start(tmp_path, "run", variables={ENDPOINT: f"http://127.0.0.1:{listening.getsockname()[1]}"})
        connection, _ = listening.accept()
        with connection:
            process.send_signal(signal.SIGINT)
            process.send_signal(signal.SIGTERM)
            assert finish(process).code == 1


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {ENDPOINT: ""},
        {ENDPOINT: "http://127.0.0.1:1", "OTEL_SDK_DISABLED": " True "},
        {ENDPOINT: "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"},
    ],
)
def test_a_run_that_is_not_asked_imports_and_says_nothing_of_it(
    tmp_path: Path, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure_stages(tmp_path, command("show", "echo [$TRACEPARENT] > seen"))
    monkeypatch.delenv("TRACEPARENT", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    code, modules = imported(tmp_path, "run", "--format", "json")
    assert code == 0
    assert not any(name.startswith("opentelemetry") for name in modules)
    if not variables.get(ENDPOINT):
        assert not any(name.startswith("orchestrator_py.exports") for name in modules)
    assert (tmp_path / "seen").read_text() == "[]\n"


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({}, "OpenTelemetry is not installed; pip install 'orchestrator-py[otel]'."),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL is 'grpc'"),
    ],
)
def test_what_keeps_it_from_work_is_said_once_and_the_run_goes_on(tmp_path: Path, more: dict[str, str], line: str) -> None:
    configure_stages(tmp_path, command("good", "true"))
    missing = "" if more else "sys.modules['opentelemetry'] = None\n"
    code = f"import sys\n{missing}from orchestrator_py.__main__ import main\nsys.exit(main(['run', '-q']))"
    variables = environment({ENDPOINT: "http://127.0.0.1:1", **more})
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    (warning,) = done.stderr.splitlines()
    assert line in warning


def test_an_environment_that_the_library_refuses_costs_one_line(tmp_path: Path) -> None:
    configure_stages(tmp_path, command("good", "true"))
    with collecting() as collector:
        done = run(
            tmp_path,
            "run",
            "-q",
            variables={ENDPOINT: collector.url, "OTEL_TRACES_SAMPLER": "no such", "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "x"},
        )
    assert (done.code, len(done.stderr.splitlines())) == (0, 1)
    assert "telemetry is not complete" in done.stderr
