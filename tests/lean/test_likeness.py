"""Whatever a class says of itself, what is made of it is what attrs makes of it."""

import copy
import inspect
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any
from unittest.mock import patch

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator_py import lean
from orchestrator_py.lean import compiled, constructor

Sayings = Mapping[str, Any]

NAMES = ("a", "put_a", "_c", "_finish", "e")
SAYINGS: Sequence[Sayings] = (
    {},
    {"default": 5},
    {"default": None, "repr": False, "eq": False},
    {"factory": list},
    {"converter": tuple},
    {"default": "xy", "converter": list},
    {"factory": list, "converter": tuple},
    {"init": False},
    {"default": 3, "init": False},
    {"factory": list, "init": False},
    {"factory": list, "converter": tuple, "init": False},
    {"default": attrs.Factory(set)},
    {"default": attrs.Factory(lambda self: [type(self).__qualname__], takes_self=True), "init": False},
    {"default": 1, "validator": attrs.validators.instance_of(int)},  # left to attrs
)


@attrs.frozen
class Plan:
    """What stands in the source of a class."""

    fields: Mapping[str, Sayings]
    frozen: bool
    kw_only: bool
    follows: bool
    base: "Plan | None"


def plans(bases: st.SearchStrategy[Plan | None]) -> st.SearchStrategy[Plan]:
    flag = st.booleans()
    fields = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(SAYINGS), max_size=5)
    return st.builds(Plan, fields=fields, frozen=flag, kw_only=flag, follows=flag, base=bases)


PLANS = plans(st.none() | plans(st.none()))
ARGUMENTS = st.sampled_from([5, None, "xy", [1], (2, 3)])
CALLS = st.tuples(st.lists(ARGUMENTS, max_size=5), st.dictionaries(st.sampled_from([name.lstrip("_") for name in NAMES]), ARGUMENTS))


def create(plan: Plan, by: Any, *, eq: bool) -> Any:
    """The class that `by`, which is attrs or lean, makes of the plan."""
    base = object if plan.base is None else create(plan.base, by, eq=eq)
    body: dict[str, Any] = {"__module__": __name__, "__qualname__": "Made", "__annotations__": dict.fromkeys(plan.fields, int)}
    for name, said in plan.fields.items():
        if said.keys() == {"default"}:
            body[name] = said["default"]
        elif said:
            body[name] = (attrs if "validator" in said else by).field(**said)
    if plan.follows:
        body["__attrs_post_init__"] = lambda self: object.__setattr__(self, "e", "followed")
    make = by.frozen if plan.frozen else by.define
    return make(kw_only=plan.kw_only, eq=eq)(type("Made", (base,), body))


def life(cls: Any, calls: Sequence[Any], changes: Any) -> Iterator[object]:
    """All that can be seen of a class and of its instances."""
    yield inspect.signature(cls), cls.__match_args__
    make, below = lean.maker(cls), type("Made", (cls,), {"__slots__": ()})
    made = []
    for words, more in calls:
        yield told(cls, *words, **more)
        with suppress(TypeError, ValueError, AttributeError):
            made.append(cls(*words, **more))
            made += [make(*words, **more), below(*words, **more)]
    for one in made:
        whole = [other for other in made if "NOTHING" not in repr(other)]
        yield [told(operator.eq, one, other) for other in whole] if one in whole else None
        yield type(told(hash, one))
        yield told(copy.copy, one)
        for evolve in (attrs.evolve, lean.evolve):
            yield told(evolve, one, **changes[1])
    yield from (changed(one, *changes) for one in made)
    yield attrs.fields(cls)


def told(work: Callable[..., Any], *words: Any, **more: Any) -> Any:
    """What comes of a call: its answer, an instance as what it holds and shows, an error as its words."""
    try:
        answer = work(*words, **more)
    except (TypeError, ValueError, AttributeError) as error:
        return type(error), str(error)
    return shown(answer) if type(answer).__qualname__ == "Made" else answer


def shown(value: Any) -> Any:
    return held(value), repr(value)


def held(value: Any) -> Sequence[object]:
    return [told(getattr, value, name) for name in (*NAMES, "__dict__")]


def changed(value: Any, words: Sequence[Any], more: Mapping[str, Any]) -> Any:
    """What comes of changing an instance itself."""
    answers = [told(setattr, value, name, word) for name, word in zip((*NAMES, "other"), words, strict=False)]
    return answers, [told(delattr, value, name) for name in more], held(value)


@settings(max_examples=300)
@given(often=st.sampled_from([0, 16]), plan=PLANS, eq=st.booleans(), calls=st.lists(CALLS, max_size=3), changes=CALLS)
def test_a_class_is_what_attrs_would_make_of_it(often: int, plan: Plan, eq: bool, calls: Sequence[Any], changes: Any) -> None:
    try:
        theirs = create(plan, attrs, eq=eq)
    except ValueError:
        with pytest.raises(ValueError, match="default"):
            create(plan, lean, eq=eq)
        return
    with patch.object(constructor, "OFTEN", often), patch.object(compiled, "OFTEN_MADE", often):
        ours = list(life(create(plan, lean, eq=eq), calls, changes))
    assert ours == list(life(theirs, calls, changes))
