"""The newest runs: their stages and the instances of their scheduler plans, with times."""

from collections import Counter
from collections.abc import Sequence

from orchestrator_py.pages.html import Html, element, join
from orchestrator_py.pages.tables import cell, row, scrolling, table
from orchestrator_py.pages.timeline_room import Room, shown_runs
from orchestrator_py.pages.timeline_svg import lane_picture, legend, stage_picture
from orchestrator_py.pages.words import counted, moment, seconds, spoken, word_mark
from orchestrator_py.reading.run import LOST
from orchestrator_py.reading.timeline import PENDING, Instance, StageTimes, Timeline, instances_of, seconds_of_time

_STAGE_HEADS = (("Stage", ""), ("When", ""), ("Outcome", ""), ("Instance", ""), ("Waited", ""), ("Took", ""), ("Attempts", ""))


def run_timelines(timelines: Sequence[Timeline], rows: int) -> Html | None:
    """As many of the newest as fit into so many rows; the first one is open."""
    if not timelines:
        return None
    runs = [_run(timeline, room, is_open=not place) for place, (timeline, room) in enumerate(shown_runs(timelines, rows))]
    heading = "Newest run" if len(runs) == 1 else f"Newest {len(runs)} runs"
    return element("section", element("h3", heading), legend(), *runs, class_="card")


def _run(timeline: Timeline, room: Room, *, is_open: bool) -> Html:
    run = timeline.run
    took = None if run.word == LOST else timeline.end - timeline.start
    head = element("h4", word_mark(run.word), " ", element("code", run.run_id), element("small", f" {_about(timeline)}{seconds(took)}"))
    detail = run.text("status_detail")
    told = element("p", f"{run.text('pipeline_id')}{f', {detail}' if detail else ''}", class_="note")
    return element("details", element("summary", head), told, _stages(timeline, room), class_="run", open=is_open)


def _about(timeline: Timeline) -> str:
    return f"{moment(seconds_of_time(timeline.run.manifest.get('started_at')))}, "


def _stages(timeline: Timeline, room: Room) -> Html:
    shown = _worth_showing(timeline.stages, room.stages)
    rows = [_stage(stage, timeline) for stage in shown]
    caption = f"Stages, in the order of the pipeline{_left_out(timeline, shown)}"
    found = table(caption, _STAGE_HEADS, rows, "when", _instances(timeline, shown, room.instances))
    return scrolling(f"Stages of {timeline.run.run_id}", found)


def _left_out(timeline: Timeline, shown: Sequence[StageTimes]) -> str:
    """How many stages are not told, and how they stand: failures may be among them."""
    words = Counter(_word(stage.word, timeline) for stage in timeline.stages) - Counter(_word(stage.word, timeline) for stage in shown)
    for word, count in timeline.untold.items():
        words[_word(word, timeline)] += count
    told = ", ".join(f"{spoken(word)} {count:,}" for word, count in words.most_common())
    return f"; {counted(words.total(), 'more stage')} left out: {told}" if words else ""


def _worth_showing(stages: Sequence[StageTimes], most: int) -> list[StageTimes]:
    """In their order, so many at most; what went wrong or goes on comes before what went well, and that before what never started."""
    ranks = {"succeeded": 1, "skipped": 2, PENDING: 2}
    kept = sorted(range(len(stages)), key=lambda place: (ranks.get(stages[place].word, 0), place))[:most]
    return [stages[place] for place in sorted(kept)]


def _stage(stage: StageTimes, timeline: Timeline) -> Html:
    waited = None if stage.start is None else stage.start - timeline.start
    outcome = join([word_mark(_word(stage.word, timeline), _marks(stage)), element("small", f" {stage.reason}") if stage.reason else None])
    return row(
        stage.id,
        cell(stage_picture(stage, timeline)),
        cell(outcome),
        cell(stage.instance or "–"),
        cell(seconds(waited)),
        cell(seconds(stage.seconds)),
        cell("–" if stage.attempts is None else stage.attempts),
    )


def _word(word: str, timeline: Timeline) -> str:
    """What waits when its run has ended will not start any more."""
    return "skipped" if word == PENDING and timeline.run.has_ended else word


def _marks(stage: StageTimes) -> str:
    return f"{', waived' if stage.waived else ''}{', flaky' if stage.flaky else ''}"


def _instances(timeline: Timeline, shown: Sequence[StageTimes], most: int) -> Html | None:
    """In the columns of the stages, so that their bars stand below those of the stages that they took, as far as these are shown."""
    found = list(instances_of(timeline.run))
    left_out = len(found) - most
    more = f"; {left_out:,} more left out" if left_out > 0 else ""
    title = element("th", f"Instances of the scheduler plan, with their capabilities{more}", scope="rowgroup", colspan=len(_STAGE_HEADS))
    rows = [_instance(instance, shown, timeline) for instance in found[:most]]
    return element("tbody", element("tr", title), *rows, class_="more") if rows else None


def _instance(instance: Instance, shown: Sequence[StageTimes], timeline: Timeline) -> Html:
    word = LOST if timeline.run.word == LOST and instance.end is None and instance.start is not None else instance.status
    waited = None if instance.start is None else instance.start - timeline.start
    took = None if instance.start is None or instance.end is None else instance.end - instance.start
    mine = [stage for stage in shown if instance.id and stage.instance == instance.id]
    return row(
        instance.id,
        cell(lane_picture(mine, timeline)),
        cell(word_mark(word)),
        cell(instance.capability),
        cell(seconds(waited)),
        cell(seconds(took)),
        cell(instance.attempts),
    )
