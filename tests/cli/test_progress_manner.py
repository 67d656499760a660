"""Flags win over the environment, the environment over what the stream is."""

from collections.abc import Mapping

import pytest

from orchestrator_py.cli.arguments import create_parser
from orchestrator_py.cli.progress_manner import Loudness, Manner, choose_colour, choose_manner
from orchestrator_py.errors import InputError

XTERM = {"TERM": "xterm"}


def choose(*flags: str, environment: Mapping[str, str] = XTERM, terminal: bool = True) -> Manner:
    return choose_manner(create_parser().parse_args(["run", *flags]), environment, terminal=terminal)


def test_a_terminal_is_live_and_in_colour() -> None:
    assert choose() == Manner(live=True, colour=True, heartbeat=30.0)


@pytest.mark.parametrize("flags", [["-q"], ["-qq"], ["--no-progress"]])
def test_flags_that_want_no_picture(flags: list[str]) -> None:
    assert not choose(*flags).live


@pytest.mark.parametrize(
    "environment", [{}, {"TERM": "dumb"}, {**XTERM, "CI": "true"}, {**XTERM, "CI": "1"}, {**XTERM, "CI": "woodpecker"}]
)
def test_an_environment_that_wants_no_picture(environment: dict[str, str]) -> None:
    assert not choose(environment=environment).live


@pytest.mark.parametrize("value", ["", "0", "false", "False"])
def test_a_ci_variable_that_says_no(value: str) -> None:
    assert choose(environment={**XTERM, "CI": value}).live


@pytest.mark.parametrize("flags", [[], ["-v"], ["--color", "always"]])
def test_what_is_no_terminal_is_never_live(flags: list[str]) -> None:
    assert not choose(*flags, environment={**XTERM, "FORCE_COLOR": "1"}, terminal=False).live


@pytest.mark.parametrize(
    ("wanted", "environment", "terminal", "colour"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": ""}, False, False),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_colour_is_a_decision_of_its_own(wanted: str, environment: dict[str, str], terminal: bool, colour: bool) -> None:
    assert choose_colour(wanted, environment, terminal=terminal) is colour


@pytest.mark.parametrize(
    ("flags", "loudness"),
    [
        ([], Loudness.NORMAL),
        (["-q"], Loudness.QUIET),
        (["-q", "--quiet"], Loudness.SILENT),
        (["-qqq"], Loudness.SILENT),
        (["-v"], Loudness.VERBOSE),
        (["-vv"], Loudness.VERBOSE),
    ],
)
def test_loudness(flags: list[str], loudness: Loudness) -> None:
    assert choose(*flags).loudness is loudness


@pytest.mark.parametrize(("value", "seconds"), [("", 30.0), ("0", 0.0), ("2.5", 2.5)])
def test_the_heartbeat_comes_from_the_environment(value: str, seconds: float) -> None:
    assert choose(environment={"ORCHESTRATOR_PY_HEARTBEAT": value}).heartbeat == seconds


@pytest.mark.parametrize("flag", ["-q", "--no-progress"])
def test_no_heartbeat_for_who_wants_it_quiet(flag: str) -> None:
    assert choose(flag).heartbeat == 0


@pytest.mark.parametrize("value", ["soon", "-1", "nan", "1e9"])
def test_a_heartbeat_that_makes_no_sense(value: str) -> None:
    with pytest.raises(InputError, match=r"ORCHESTRATOR_PY_HEARTBEAT: .* is not a number of seconds"):
        choose(environment={"ORCHESTRATOR_PY_HEARTBEAT": value})
