"""How much of the newest runs is told one by one, so that a page of many runs stays small: 200 runs fit into 100 kB."""

from collections.abc import Iterator, Sequence

from orchestrator_py.reading.timeline import Timeline, instances_of

MOST_STAGES, MOST_INSTANCES = 50, 20
"""Of one run, however much room there is."""
_ROWS, _LEAST, _RUNS_A_ROW = 96, 26, 3
_INSTANCES_AT_LEAST = 4


class Room:
    """So many rows of one run are shown."""

    __slots__ = ("instances", "stages")

    def __init__(self, stages: int, instances: int) -> None:
        self.stages = stages
        self.instances = instances


def rows_beside(runs: int) -> int:
    """How many rows there is room for on a page whose charts and tables tell of so many runs: a row costs as much as three runs do."""
    return max(_LEAST, _ROWS - runs // _RUNS_A_ROW)


def shown_runs(timelines: Sequence[Timeline], rows: int) -> Iterator[tuple[Timeline, Room]]:
    """The newest of the runs as long as they fit; of the first one always as much as fits."""
    for place, timeline in enumerate(timelines):
        instances = min(sum(1 for _ in instances_of(timeline.run)), MOST_INSTANCES)
        stages = min(len(timeline.stages), MOST_STAGES)
        if place and stages + instances > rows:
            return
        stages = min(stages, max(rows - instances, rows - _INSTANCES_AT_LEAST))
        room = Room(stages, min(instances, rows - stages))
        yield timeline, room
        rows -= room.stages + room.instances
