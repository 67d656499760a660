"""What the entries of each training epoch come to, and in it each tool."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from orchestrator_py.core.figures import (
    figure,
    is_figure,
    printable,
    read_list,
    read_members,
    rounded_to_micro,
    totals_from_data,
    totals_to_data,
)
from orchestrator_py.errors import DecodeError
from orchestrator_py.lean import define, field
from orchestrator_py.model.rollups import EpochRollup, PerEpoch, ToolRollup
from orchestrator_py.model.timestamp import Timestamp

Name = TypeVar("Name")
Totals = TypeVar("Totals")


@define(kw_only=True)
class ToolTotals:
    """One tool: `calls` counts the entries' tool statistics, not runs, though the document calls them runs."""

    calls: int = 0
    tokens: float = 0.0
    cost_usd: float = 0.0
    latency_ms: float = 0.0

    def add(self, stat: Mapping[str, object]) -> None:
        self.calls += 1
        self.tokens += figure(stat.get("tokens"))
        self.cost_usd += figure(stat.get("cost_usd"))
        self.latency_ms += figure(stat.get("latency_ms"))

    def rollup(self, tool: str) -> ToolRollup:
        return ToolRollup(
            tool=tool,
            runs=self.calls,
            tokens=printable(self.tokens),
            cost_usd=rounded_to_micro(self.cost_usd),
            latency_ms=printable(self.latency_ms),
        )


@define(kw_only=True)
class EpochTotals:
    """All entries of one epoch; `sized` counts those that name their group's size."""

    runs: int = 0
    tool_calls: float = 0.0
    token_total: float = 0.0
    cost_usd: float = 0.0
    latency_ms: float = 0.0
    sized: int = 0
    group_size: float = 0.0

    def add(self, entry: Mapping[str, object]) -> None:
        self.runs += 1
        self.tool_calls += figure(entry.get("tool_calls"))
        self.token_total += figure(entry.get("token_total"))
        self.cost_usd += figure(entry.get("cost_usd"))
        self.latency_ms += figure(entry.get("latency_ms"))
        size = entry.get("tfgrpo_group_size")
        if is_figure(size):
            self.sized += 1
            self.group_size += size


@define
class Epoch:
    """The totals of an epoch and of its tools, the tools in the order in which they first occurred."""

    totals: EpochTotals = field(factory=EpochTotals)
    tools: dict[str, ToolTotals] = field(factory=dict)

    def add(self, entry: Mapping[str, object]) -> None:
        self.totals.add(entry)
        for tool, stat in _named_tools(entry.get("tool_stats")):
            self.tools.setdefault(tool, ToolTotals()).add(stat)

    def rollup(self, number: float) -> EpochRollup:
        totals = self.totals
        return EpochRollup(
            epoch=number,
            runs=totals.runs,
            tool_calls=printable(totals.tool_calls),
            token_total=printable(totals.token_total),
            cost_usd=rounded_to_micro(totals.cost_usd),
            latency_ms=printable(totals.latency_ms),
            group_size_avg=printable(totals.group_size / totals.sized) if totals.sized else None,
            tools=tuple(tool_totals.rollup(tool) for tool, tool_totals in self.tools.items()),
        )


@define
class Epochs:
    """Every epoch that some entry names by a number; 0 is one, text is none."""

    by_number: dict[float, Epoch] = field(factory=dict)

    def add(self, entry: Mapping[str, object]) -> None:
        number = entry.get("tfgrpo_epoch")
        if is_figure(number):
            self.by_number.setdefault(number, Epoch()).add(entry)

    def per_epoch(self, updated_at: Timestamp) -> PerEpoch | None:
        """The epochs in ascending order; None if there are none."""
        if not self.by_number:
            return None
        epochs = tuple(self.by_number[number].rollup(number) for number in sorted(self.by_number))
        return PerEpoch(epochs=epochs, updated_at=updated_at)

    def to_data(self) -> list[dict[str, object]]:
        return [
            {
                "epoch": number,
                "totals": totals_to_data(epoch.totals),
                "tools": [{"tool": tool, "totals": totals_to_data(totals)} for tool, totals in epoch.tools.items()],
            }
            for number, epoch in self.by_number.items()
        ]

    @classmethod
    def from_data(cls, data: object) -> "Epochs":
        """The opposite of to_data; DecodeError for anything else."""
        epochs = [_read_epoch(item) for item in read_list(data)]
        return cls(_without_repeats(epochs))


def _named_tools(tool_stats: object) -> Iterable[tuple[str, Mapping[str, object]]]:
    for stat in tool_stats if isinstance(tool_stats, list) else ():
        if isinstance(stat, dict) and isinstance(tool := stat.get("tool"), str) and tool:
            yield tool, stat


def _read_epoch(data: object) -> tuple[float, Epoch]:
    members = read_members(data, {"epoch", "totals", "tools"})
    number = members["epoch"]
    if not is_figure(number):
        raise DecodeError(f"Rollup state: an epoch is named by a number, not by {number!r:.80}; rebuild the rollups.")
    tools = [_read_tool(item) for item in read_list(members["tools"])]
    return number, Epoch(totals_from_data(EpochTotals, members["totals"]), _without_repeats(tools))


def _read_tool(data: object) -> tuple[str, ToolTotals]:
    members = read_members(data, {"tool", "totals"})
    tool = members["tool"]
    if not isinstance(tool, str):
        raise DecodeError(f"Rollup state: a tool is named by text, not by {tool!r:.80}; rebuild the rollups.")
    return tool, totals_from_data(ToolTotals, members["totals"])


def _without_repeats(pairs: list[tuple[Name, Totals]]) -> dict[Name, Totals]:
    totals = dict(pairs)
    if len(totals) != len(pairs):
        raise DecodeError("Rollup state: an epoch or a tool stands in it twice; rebuild the rollups.")
    return totals
