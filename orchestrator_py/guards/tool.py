"""The words of a command line program, to check what documents say of it."""

from collections.abc import Mapping

from orchestrator_py.lean import field, frozen


@frozen(kw_only=True)
class Words:
    """The options of a program or a command, and the commands below it."""

    options: frozenset[str] = frozenset()
    commands: Mapping[str, "Words"] = field(factory=dict)
