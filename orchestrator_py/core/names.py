"""Names that are made, not given: run ids and the slugs of file names."""

import re
from functools import lru_cache

from orchestrator_py.ids import RunId, TaskId, parse_run_id
from orchestrator_py.model.timestamp import Timestamp

_LONGEST_SLUG = 80


@lru_cache  # each stage's is asked for several times
def slugify(text: str) -> str:
    """ASCII letters and digits stay, every run of anything else is one dash, none at the edges; at most 80 characters, never empty."""
    slug = text if text.isascii() and text.isalnum() else re.sub("[^A-Za-z0-9]+", "-", text).strip("-")
    return (slug or "command")[:_LONGEST_SLUG]


def command_log_name(index: int, stage_id: str) -> str:
    """`01-build.ndjson`: the stage's place in its pipeline, from 1, and its id."""
    return f"{index:02d}-{slugify(stage_id)}.ndjson"


def create_run_id(now: Timestamp, random_hex: str) -> RunId:
    """`2025-12-21T14-02-47-637Z-9f7c2ccb`: sorts by time, told apart by 8 random hex digits that the caller draws."""
    return parse_run_id(f"{_in_a_path(now)}-{random_hex}")


def create_embedded_run_id(task_id: TaskId, now: Timestamp, random_hex: str) -> RunId:
    """`<task>-2025-12-21T14-02-47-637Z-9f7c2ccb`: the id of an embedded run that was given none.

    The reference implementation has no random part: there, two runs of one task in one millisecond share an id.
    """
    return parse_run_id(f"{task_id}-{_in_a_path(now)}-{random_hex}")


def _in_a_path(now: Timestamp) -> str:
    return now.replace(":", "-").replace(".", "-")
