"""The figures of tasks as families of metrics: names, units and labels by the conventions of Prometheus.

Labels are the task and words of fixed sets: how many series there are does not grow with the runs.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from orchestrator_py.exports.cicd_words import utf8
from orchestrator_py.exports.history_counts import BUCKETS, OUTCOMES, UNKNOWN, Counts
from orchestrator_py.exports.task_figures import ENDINGS, Figures, TaskFigures
from orchestrator_py.lean import frozen

PREFIX = "orchestrator_py_"

_Figure = Callable[[TaskFigures], float | None]

_GAUGES: Mapping[str, tuple[str, _Figure]] = {
    "recorded_runs": ("Runs on record, each counted once, as the published rollup has them.", lambda task: task.total("total_runs")),
    "succeeded_runs": ("Runs on record that succeeded, each counted once.", lambda task: task.total("succeeded_runs")),
    "completion_ratio": ("Share of the runs on record that succeeded, 0 to 1.", lambda task: task.total("completion_rate")),
    "mttr_seconds": ("Mean duration of the runs on record.", lambda task: task.total("current_mttr_seconds")),
    "mttr_baseline_seconds": ("Duration of the run that others are measured against.", lambda task: task.total("baseline_mttr_seconds")),
    "missing_field_ratio": ("Share of the checked fields that the entries lack, 0 to 1.", lambda task: task.total("missing_field_ratio")),
    "running_runs": ("Runs that are going on, inside other programs too once they have lasted a little.", lambda task: task.running),
    "lost_runs": ("Runs whose process died and that nobody has put on record yet.", lambda task: task.lost),
    "last_run_end_timestamp_seconds": ("When the newest entry's run ended.", lambda task: task.last_ended_at),
    "last_run_duration_seconds": ("How long the newest entry's run took.", lambda task: task.last_seconds),
    "last_success_timestamp_seconds": ("When a run last ended in success.", lambda task: task.last_success_at),
    "unreadable_lines": ("Lines of the history that are no entries.", lambda task: task.unreadable_lines),
    "unreadable_places": ("Files and folders of the task that could not be read for this answer.", lambda task: len(task.problems)),
}


@frozen
class Collector:
    """What prometheus_client asks for the families."""

    figures: Figures

    def collect(self) -> Iterator[Metric]:
        """Counters and the histogram first."""
        tasks = [(utf8(task.task_id), task) for task in self.figures.tasks]
        counted = [(task_id, task.counts) for task_id, task in tasks if task.counts is not None]
        yield _runs(counted)
        yield _commands(counted)
        yield _recovery_events(counted)
        yield _durations(counted)
        yield _last_outcomes(tasks)
        for name, (help_text, figure) in _GAUGES.items():
            yield _gauge(name, help_text, ((task_id, figure(task)) for task_id, task in tasks))
        yield GaugeMetricFamily(f"{PREFIX}tasks", "Tasks that are told of here.", value=len(tasks))
        yield GaugeMetricFamily(f"{PREFIX}tasks_left_out", "Tasks beyond those, which changed longest ago.", value=self.figures.left_out)


_Tasks = list[tuple[str, TaskFigures]]
_Counted = list[tuple[str, Counts]]


def _runs(tasks: _Counted) -> Metric:
    family = CounterMetricFamily(f"{PREFIX}runs", "Ends of runs on record; a run that was resumed ends again.", labels=["task", "outcome"])
    for task_id, counts in tasks:
        for outcome in (*OUTCOMES, UNKNOWN):
            family.add_metric([task_id, outcome], counts.ended[outcome])
    return family


def _commands(tasks: _Counted) -> Metric:
    family = CounterMetricFamily(f"{PREFIX}commands", "Stages of the runs on record, by how they went.", labels=["task", "result"])
    for task_id, counts in tasks:
        for result in ("passed", "failed"):
            family.add_metric([task_id, result], counts.commands[result])
    return family


def _recovery_events(tasks: _Counted) -> Metric:
    family = CounterMetricFamily(f"{PREFIX}recovery_events", "Recovery checkpoints of the scheduler's instances.", labels=["task"])
    for task_id, counts in tasks:
        family.add_metric([task_id], counts.recovery_events)
    return family


def _durations(tasks: _Counted) -> Metric:
    family = HistogramMetricFamily(
        f"{PREFIX}run_duration_seconds", "How long the runs on record took, of which somebody saw the end.", labels=["task"], unit="seconds"
    )
    for task_id, counts in tasks:
        bounds = (*(str(bound) for bound in BUCKETS), "+Inf")
        family.add_metric([task_id], list(zip(bounds, accumulate(counts.buckets), strict=True)), counts.duration_seconds)
    return family


def _last_outcomes(tasks: _Tasks) -> Metric:
    family = _family("last_run_outcome", "1 at the word for how the newest entry's run ended, 0 at the others.", "task", "outcome")
    for task_id, task in tasks:
        for word in ENDINGS if task.last_word is not None else ():
            family.add_metric([task_id, word], float(word == task.last_word))
    return family


def _gauge(name: str, help_text: str, values: Iterable[tuple[str, float | None]]) -> Metric:
    family = _family(name, help_text, "task")
    for task_id, value in values:
        if value is not None:
            family.add_metric([task_id], value)
    return family


def _family(name: str, help_text: str, *labels: str) -> GaugeMetricFamily:
    unit = "seconds" if name.endswith("_seconds") else ""
    return GaugeMetricFamily(f"{PREFIX}{name}", help_text, labels=labels, unit=unit)
