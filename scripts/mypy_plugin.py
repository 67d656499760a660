"""Tells mypy that the decorators of orchestrator_py.lean make attrs classes, in the way that attrs documents for one's own decorators."""

from mypy.plugin import Plugin
from mypy.plugins.attrs import attr_define_makers, attr_frozen_makers

attr_define_makers.add("orchestrator_py.lean.define")
attr_frozen_makers.add("orchestrator_py.lean.frozen")


def plugin(version: str) -> type[Plugin]:
    """Nothing more is needed than what the import has added."""
    return Plugin
