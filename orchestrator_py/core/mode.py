"""Where a subtask runs: what the item says, then what the task says."""

from collections.abc import Mapping, Sequence

from orchestrator_py.model.absent import ABSENT
from orchestrator_py.model.task import Mode, PlanItem, TaskContext

_WORDS = {"cloud": True, "true": True, "1": True, "yes": True, "mcp": False, "false": False, "0": False, "no": False}
_STRICT_WORDS = {"cloud": True, "mcp": False}


def default_mode(task: TaskContext, item: PlanItem) -> Mode:
    """The policy of an embedded run: an item that does not ask for the cloud still goes there if the task runs in parallel."""
    if item.metadata is ABSENT and item.requires_cloud is ABSENT and item.requires_cloud_alias is ABSENT:
        return _mode(_wants_parallel(task))  # as most items are
    asked = _flag(item)
    if asked is None:
        asked = _first_known([word.strip() for word in _mode_words(item, "mode", "executionMode")], _WORDS)
    return _mode(asked or _wants_parallel(task))


def pipeline_mode(task: TaskContext, item: PlanItem) -> Mode:
    """The policy of a pipeline run: an item that says no stays, whatever the task says; only `cloud` and `mcp` are words."""
    asked = _flag(item)
    if asked is None:
        asked = _first_known(_mode_words(item, "executionMode", "mode"), _STRICT_WORDS)
    return _mode(_wants_parallel(task) if asked is None else asked)


def _flag(item: PlanItem) -> bool | None:
    """The first flag that is true or false."""
    for flag in (item.requires_cloud, item.requires_cloud_alias):
        if isinstance(flag, bool):
            return flag
    return None


def _first_known(words: Sequence[str], known: Mapping[str, bool]) -> bool | None:
    return next((known[word.lower()] for word in words if word.lower() in known), None) if words else None


def _mode_words(item: PlanItem, *keys: str) -> list[str]:
    metadata = item.metadata
    if metadata is ABSENT or not isinstance(metadata, Mapping):  # to see at once what most items lack is cheaper
        return []
    return [word for word in map(metadata.get, keys) if isinstance(word, str)]


def _wants_parallel(task: TaskContext) -> bool:
    execution = task.metadata.get("execution")  # most tasks say nothing, and it is asked for each subtask
    return execution is not None and isinstance(execution, Mapping) and _is_truthy(execution.get("parallel"))


def _is_truthy(value: object) -> bool:
    """As consumers' language has it: an empty list and an empty object count as true."""
    return isinstance(value, list | Mapping) or bool(value)


def _mode(cloud: bool) -> Mode:
    return Mode.CLOUD if cloud else Mode.MCP
