"""Tells mypy that the decorators of orchestrator_py.lean make attrs classes, in the way that attrs documents, and what `evolve` takes."""

from collections.abc import Callable

from mypy.plugin import FunctionSigContext, Plugin
from mypy.plugins.attrs import attr_define_makers, attr_frozen_makers, evolve_function_sig_callback
from mypy.types import FunctionLike

attr_define_makers.add("orchestrator_py.lean.define")
attr_frozen_makers.add("orchestrator_py.lean.frozen")


class LeanPlugin(Plugin):
    """Checks the arguments of `evolve` as it does those of attrs."""

    def get_function_signature_hook(self, fullname: str) -> Callable[[FunctionSigContext], FunctionLike] | None:
        return evolve_function_sig_callback if fullname == "orchestrator_py.lean.evolve" else None


def plugin(version: str) -> type[Plugin]:
    """What mypy asks for."""
    return LeanPlugin
