"""How a class is made of the one that stands in the source."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from types import FunctionType
from typing import Any, ClassVar

import attrs

from orchestrator_py.lean.constructor import Constructor
from orchestrator_py.lean.description import Arguments, Description, Field, fields, own_fields
from orchestrator_py.lean.methods import COPYING, equals, hash_of, represent

Make = Callable[..., type[Any]]

_ARGUMENTS = frozenset({"default", "factory", "init", "repr", "eq", "converter"})
_METHODS = frozenset({"__init__", "__setattr__", "__delattr__", "__getstate__", "__setstate__", "__slots__", "__attrs_pre_init__"})
_FIELD_OF_ATTRS = type(attrs.field())


@attrs.frozen(init=False, eq=False, repr=False)
class _Frozen:
    """Has attrs' way to refuse a change."""


_REFUSALS: Mapping[str, Any] = {name: vars(_Frozen)[name] for name in ("__setattr__", "__delattr__")}


def make_class(make: Make, plain: type[Any], *, kw_only: bool, eq: bool) -> type[Any]:
    """What `attrs.frozen` or `attrs.define` makes of a class."""
    is_frozen = make is attrs.frozen or plain.__setattr__ is _REFUSALS["__setattr__"]
    methods: dict[str, object] = {"__repr__": represent}
    if eq:
        methods |= {"__eq__": equals, "__hash__": hash_of if is_frozen else None}
    ask = partial(_ask_attrs, make, plain, kw_only)
    bases = [base for base in plain.__bases__ if base is not object and any("__attrs_attrs__" in vars(one) for one in base.__mro__)]
    if _says_more(plain, is_frozen) or _inherits_more(bases, is_frozen, kw_only):
        for name in methods.keys() - vars(plain).keys():
            setattr(plain, name, methods[name])
        return ask()
    own = {one.name: one for one in own_fields(plain, kw_only=kw_only)}
    inherited = {one.name: one for base in bases for one in fields(base)}
    every = (*(inherited[name] for name in inherited if name not in own), *own.values())
    methods |= COPYING
    if is_frozen:
        methods |= _REFUSALS
    methods["__match_args__"] = tuple(one.name for one in every if one.init and not one.kw_only)
    methods["__attrs_attrs__"] = Description(every, ask)
    methods["__init__"] = constructor = Constructor(plain.__qualname__, every)
    cls = _slotted(plain, methods, own=own, slots=[name for name in own if name not in inherited])
    constructor.serve(cls)
    return cls


def _ask_attrs(make: Make, plain: type[Any], kw_only: bool) -> type[Any]:
    for name, said in tuple(vars(plain).items()):
        if type(said) is Arguments:
            setattr(plain, name, attrs.field(**said))
    return make(plain, kw_only=kw_only, eq=False, repr=False)


def _slotted(plain: type[Any], methods: Mapping[str, object], *, own: Collection[str], slots: Sequence[str]) -> type[Any]:
    """The class once more, with these slots. What stands in the source goes before what is the same in all classes."""
    said = {name: member for name, member in vars(plain).items() if name not in own and name not in ("__dict__", "__weakref__")}
    weakly = () if any("__weakref__" in vars(base) for base in plain.__mro__[1:]) else ("__weakref__",)
    space = {**methods, **said, "__qualname__": plain.__qualname__, "__slots__": (*slots, *weakly)}
    kind: Any = type(plain)
    cls: type[Any] = kind(plain.__name__, plain.__bases__, space)
    return cls


def _says_more(plain: type[Any], is_frozen: bool) -> bool:
    """Whether only attrs knows how to make what stands in the class."""
    said, kinds = vars(plain), plain.__annotations__
    if issubclass(plain, BaseException) or not _METHODS.isdisjoint(said):
        return True
    known = _ARGUMENTS if is_frozen else _ARGUMENTS - {"converter"}  # what is assigned later would have to be converted, too
    for name, member in said.items():
        kind = type(member)
        if kind in _STRANGE and _is_strange(member):
            return True
        if kind is Arguments and not (name in kinds and member.keys() <= known):
            return True
    return any(map(_is_class_variable, kinds.values()))


def _inherits_more(bases: Sequence[type[Any]], is_frozen: bool, kw_only: bool) -> bool:
    inherited = [one for base in bases for one in fields(base)]
    return len(bases) > 1 or any(
        type(one) is not Field or (kw_only and not one.kw_only) or (one.converter and not is_frozen) for one in inherited
    )


def _is_strange(said: Any) -> bool:
    """A field of attrs; a method that holds its class, for `super()`."""
    kind = type(said)
    if kind is FunctionType:
        return said.__closure__ is not None and (
            "__class__" in said.__code__.co_freevars or _is_strange(getattr(said, "__wrapped__", None))
        )
    if kind is property:
        return _is_strange(said.fget)
    if kind in (classmethod, staticmethod):
        return _is_strange(said.__func__)
    return kind is _FIELD_OF_ATTRS


_STRANGE = frozenset({FunctionType, property, classmethod, staticmethod, _FIELD_OF_ATTRS})


def _is_class_variable(kind: object) -> bool:
    return "ClassVar" in kind if isinstance(kind, str) else getattr(kind, "__origin__", kind) is ClassVar
