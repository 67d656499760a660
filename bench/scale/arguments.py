"""The words of `python -m bench scale`: one for each figure of a scenario."""

import argparse

from attrs import fields

from bench.errors import BenchError
from bench.scale.scenario import Scenario

_HELP = {
    "workers": "slots of the engine",
    "subtasks": "over all runs",
    "runs": "of one task",
    "in_flight": "runs at once, which share the workers",
    "seed": "of everything that varies",
    "seconds": "of an attempt",
    "chain": "subtasks of which each needs the one before",
    "failing": "share of ends",
    "rejecting": "share of ends",
    "twice": "share of messages that are told twice",
    "attempts": "at a subtask whose worker died",
    "life": "seconds that a worker lives",
    "notice": "seconds until a death is noticed",
    "restart": "seconds until a dead worker is replaced",
    "capacity": "of the mailbox",
    "step_us": "taken for a lane's step on the event loop",
    "message_us": "taken for a message of the writer",
    "open_us": "taken for each subtask when its run is opened",
    "close_us": "taken for each subtask when its run is closed",
    "print_us": "taken in the writer's thread for each subtask of a summary",
    "sync_ms": "of a sync",
    "stall": "share of syncs that stall",
    "stall_seconds": "of a stall",
    "megabytes": "a second that the disk writes",
}


def add_scale(scale: argparse.ArgumentParser) -> None:
    """Defaults are those of the scenario."""
    for one in fields(Scenario):
        kind = int if one.type is int else float
        scale.add_argument(
            f"--{one.name.replace('_', '-')}", type=kind, default=one.default, metavar="N", help=f"{_HELP[one.name]} (default: %(default)g)"
        )


def create_scenario(parsed: argparse.Namespace) -> Scenario:
    """Raises BenchError for figures that do not fit."""
    try:
        return Scenario(**{one.name: getattr(parsed, one.name) for one in fields(Scenario)})
    except ValueError as error:
        raise BenchError(f"not a scenario: {error.args[0]}") from error
