"""Expositions as the library's own parsers read them."""

from collections.abc import Mapping
from pathlib import Path

from attrs import frozen
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from orchestrator_py.exports.prometheus import OPENMETRICS, Exposition, exposition
from orchestrator_py.exports.task_figures import Memory
from orchestrator_py.store.layout import Layout

Labels = frozenset[tuple[str, str]]


@frozen
class Scrape:
    """Values by the sample's name and labels."""

    values: Mapping[tuple[str, Labels], float]

    def value(self, name: str, **labels: str) -> float:
        return self.values[f"orchestrator_py_{name}", frozenset({"task": "task-1", **labels}.items())]

    def has(self, name: str, **labels: str) -> bool:
        return (f"orchestrator_py_{name}", frozenset({"task": "task-1", **labels}.items())) in self.values

    def labels(self, key: str) -> set[str]:
        """All values of one label."""
        return {value for _, labels in self.values for name, value in labels if name == key}


def read(answer: Exposition) -> Scrape:
    """Each sample once; the parser refuses what the format forbids."""
    parse = parse_openmetrics if answer.content_type == OPENMETRICS else parse_text
    samples = [sample for family in parse(answer.content.decode()) for sample in family.samples]
    values = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}
    assert len(values) == len(samples) > 0
    return Scrape(values)


def scrape(root: Path, accept: str = "application/openmetrics-text", memory: Memory | None = None) -> Scrape:
    """All that is told of the record below the root."""
    answer = exposition(Layout.below(root), accept, memory=memory)
    assert answer.problems == ()
    return read(answer)
