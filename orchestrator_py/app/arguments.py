"""What the embedded manager may be told: each answer is what it works with, or InputError names the argument and what to give."""

from collections.abc import Mapping
from datetime import timedelta

from orchestrator_py.errors import InputError
from orchestrator_py.model.outcome import FailurePolicy


def checked_count(name: str, value: object) -> int:
    """A whole number, at least 1."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InputError(f"{name} is {value!r}; give a whole number from 1.")
    return value


def checked_text(name: str, value: object) -> str:
    """What is shown and put on record as it is."""
    if not isinstance(value, str):
        raise InputError(f"{name} is {value!r:.80}; give text.")
    return value


def checked_resources(value: object) -> Mapping[str, int]:
    """How many units there are of each; none for None."""
    match value:
        case None:
            return {}
        case Mapping():
            return {str(name): checked_count(f"resources[{name!r}]", units) for name, units in value.items()}
        case _:
            raise InputError(f"resources is {value!r:.80}; give a mapping of names to whole numbers from 1.")


def checked_timeout(value: object) -> timedelta | None:
    """A time that can pass, or None."""
    if value is None or (isinstance(value, timedelta) and value > timedelta()):
        return value
    raise InputError(f"timeout is {value!r}; give a timedelta of more than nothing, or None.")


def parse_policy(value: str | FailurePolicy) -> FailurePolicy:
    """The policy that the word names."""
    try:
        return FailurePolicy(value)
    except ValueError:
        words = ", ".join(repr(policy.value) for policy in FailurePolicy)
        raise InputError(f"on_failure is {value!r}; choose one of {words}.") from None


def check_agent(name: str, agent: object, method: str) -> None:
    """It has the method that is called."""
    if not callable(getattr(agent, method, None)):
        raise InputError(f"{name} is {agent!r:.80}; give an object with an async method {method}.")
