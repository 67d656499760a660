"""How a run shows itself: decided once, from flags, then environment, then what the stream is."""

from collections.abc import Mapping
from enum import IntEnum

from orchestrator_py.errors import InputError
from orchestrator_py.lean import frozen

TYPE_CHECKING = False  # type checkers read the name; who calls a command plainly is spared argparse
if TYPE_CHECKING:
    from argparse import Namespace

HEARTBEAT_VARIABLE = "ORCHESTRATOR_PY_HEARTBEAT"
HEARTBEAT_SECONDS = 30.0
_LONGEST_SECONDS = 86_400.0


class Loudness(IntEnum):
    """SILENT leaves the report alone on stdout, QUIET adds what failed, VERBOSE what begins and what is said."""

    SILENT = -2
    QUIET = -1
    NORMAL = 0
    VERBOSE = 1


@frozen(kw_only=True)
class Manner:
    """`heartbeat`: the seconds of silence after which a line says what runs; 0 for none."""

    loudness: Loudness = Loudness.NORMAL
    live: bool = False
    colour: bool = False
    heartbeat: float = HEARTBEAT_SECONDS


def choose_manner(arguments: "Namespace", environment: Mapping[str, str], *, terminal: bool) -> Manner:
    """For progress on stderr, which is a terminal or not. InputError if the environment makes no sense."""
    loudness = Loudness(max(-2, min(arguments.verbose - arguments.quiet, 1)))
    return Manner(
        loudness=loudness,
        live=terminal and not arguments.no_progress and loudness >= Loudness.NORMAL and _can_be_live(environment),
        colour=choose_colour(arguments.color, environment, terminal=terminal),
        heartbeat=_heartbeat(environment) if loudness >= Loudness.NORMAL and not arguments.no_progress else 0.0,
    )


def choose_colour(wanted: str, environment: Mapping[str, str], *, terminal: bool) -> bool:
    """Of one stream. `wanted` is always, never or auto; NO_COLOR and FORCE_COLOR count unless they are empty, and NO_COLOR wins."""
    if wanted != "auto":
        return wanted == "always"
    if environment.get("NO_COLOR"):
        return False
    return bool(environment.get("FORCE_COLOR")) or (terminal and environment.get("TERM") != "dumb")


def _can_be_live(environment: Mapping[str, str]) -> bool:
    """A log that merely looks like a terminal would be filled with every picture that was ever drawn."""
    return environment.get("TERM", "") not in ("", "dumb") and environment.get("CI", "").lower() in ("", "0", "false")


def _heartbeat(environment: Mapping[str, str]) -> float:
    text = environment.get(HEARTBEAT_VARIABLE, "")
    if not text:
        return HEARTBEAT_SECONDS
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= _LONGEST_SECONDS:
        raise InputError(f"{HEARTBEAT_VARIABLE}: {text!r} is not a number of seconds from 0 to {_LONGEST_SECONDS:g}; correct or unset it.")
    return seconds
