"""The contract's JSON form of every value that leaves or enters: `to_json` and `from_json`."""

from functools import cache
from typing import TypeVar

from orchestrator_py.core.codec.events import add_event_shapes
from orchestrator_py.core.codec.manifest import add_manifest_shapes
from orchestrator_py.core.codec.rollups import add_rollup_shapes
from orchestrator_py.core.codec.strict import Converter, decode, shared_converter
from orchestrator_py.core.codec.summary import add_summary_shapes
from orchestrator_py.core.codec.task import add_task_shapes

T = TypeVar("T")


@cache
def contract_converter() -> Converter:
    """The one converter, made when it is first needed."""
    converter = shared_converter()
    add_task_shapes(converter)
    add_summary_shapes(converter)
    add_manifest_shapes(converter)
    add_rollup_shapes(converter)
    add_event_shapes(converter)
    return converter


def to_json(value: object) -> object:
    """The value as JSON data (dict, list, str, int, float, bool, None), keys named and ordered as consumers know them."""
    data: object = contract_converter().unstructure(value)
    return data


def from_json(cls: type[T], data: object) -> T:
    """The value that JSON data stands for. Nothing is coerced: DecodeError names each wrong place (`$.build.success`)."""
    return decode(contract_converter(), cls, data)
