"""The stream of one call: numbered without a gap, in an order that makes sense, one end for each stage."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.core.json_text import compact_json, parse_json
from orchestrator_py.core.run_stream import Data, RunPlaces, RunStream, StageNews, failed_call
from orchestrator_py.ids import TaskId
from orchestrator_py.model.events import SubtaskStarted
from orchestrator_py.model.outcome import Outcome
from tests.core.conversations import RUN, WORDS, conversation, hear, open_pipeline_run, open_run, reports_of, stamp

PLACES = RunPlaces(manifest="/r/manifest.json", log="/r/runner.ndjson", metrics="/r/metrics.json")
BEGIN = {"type": "exec:begin", "attempt": 1, "command": "make"}
END = {"type": "exec:end", "attempt": 1, "status": "failed", "exit_code": None}
SAID = {"type": "exec:chunk", "attempt": 1, "stream": "stderr", "data": "no\x00\n"}

ENDS = ("stage:completed", "run:completed")

some_words = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5)


def news(index: int, event: dict[str, object], untold: int = 0) -> StageNews:
    return StageNews(
        timestamp=stamp(1), task_id=TaskId("task-1"), run_id=RUN, index=index, stage_id=f"s{index - 1}", event=event, untold=untold
    )


def stream(*, with_logs: bool = False) -> RunStream:
    return RunStream(lambda _: PLACES, with_logs=with_logs)


def told(words: list[Outcome], *, early: dict[int, list[StageNews]] | None = None) -> list[Data]:
    """What a whole run tells. `early`: what is heard of stages just before their start is told."""
    opening, one = open_pipeline_run(len(words)), stream(with_logs=True)
    events = [event for effect in hear(conversation(opening, reports_of(opening, words))) for event in effect.events]
    data: list[Data] = []
    for event in events:
        if isinstance(event, SubtaskStarted) and event.command is not None:
            for heard in (early or {}).get(event.command.index, []):
                data += one.tell(heard)
        data += one.tell(event)
    return data


@given(some_words)
def test_numbers_have_no_gap_and_each_stage_has_one_end(words: list[Outcome]) -> None:
    data = told(words)
    assert [event["seq"] for event in data] == list(range(1, len(data) + 1))
    assert [event["type"] for event in (data[0], data[-1])] == ["run:started", "run:completed"]
    assert sorted(str(event["stageId"]) for event in data if event["type"] == "stage:completed") == [f"s{i}" for i in range(len(words))]
    assert all(parse_json(compact_json(event)) == event for event in data)


@given(some_words)
def test_the_counted_words_and_the_counts_give_the_verdict(words: list[Outcome]) -> None:
    data = told(words)
    counts: Any = data[-1]["counts"]
    assert sum(counts.values()) == 2 * counts["planned"] == 2 * len(words)
    ends = [event for event in data if event["type"] == "stage:completed"]
    for word in ("succeeded", "failed", "rejected", "timed_out", "crashed", "cancelled"):
        assert counts[word] == sum(1 for event in ends if event["counted"] == word and event["attempts"])
    assert data[-1]["outcome"] in {event["counted"] for event in ends}


def test_what_is_heard_of_a_stage_before_its_start_waits_for_it() -> None:
    data = told([Outcome.SUCCEEDED], early={1: [news(1, BEGIN), news(1, SAID), news(1, END, untold=7)]})
    assert [event["type"] for event in data] == ["run:started", "stage:started", "tool:call", "log", "log", "tool:call", *ENDS]
    begin, said, untold, end = data[2:6]
    assert (begin["status"], begin["message"], begin["attempt"]) == ("started", "make", 1)
    assert (said["level"], said["message"], said["source"]) == ("error", "no\x00\n", "stderr")
    assert (untold["level"], untold["source"]) == ("warn", "system")
    assert str(untold["message"]).startswith("(7 characters of output are not told here")
    assert (end["status"], end["message"]) == ("failed", "exit null")


def test_an_embedded_run_tells_nothing() -> None:
    opening, one = open_run(2), stream()
    events = [event for effect in hear(conversation(opening, reports_of(opening, [Outcome.SUCCEEDED] * 2))) for event in effect.events]
    assert events
    assert [data for event in events for data in one.tell(event)] == []


def test_a_call_that_began_nothing_is_one_error() -> None:
    assert failed_call("no", 2, at=stamp(1)) == {
        "type": "run:error",
        "seq": 1,
        "timestamp": stamp(1),
        "taskId": None,
        "runId": None,
        "formatVersion": 1,
        "pipelineId": None,
        "message": "no",
        "stageId": None,
        "exitCode": 2,
    }


def test_an_event_that_is_taken_back_leaves_no_gap() -> None:
    one = stream()
    one.fail("a", 1, at=stamp(1), run=None, more={})
    one.take_back()
    assert one.fail("b", 70, at=stamp(1), run=None, more={"outcome": "failed"})["seq"] == 1
