"""What the events of a run tell of its stages beside the manifest: attempts, the exact outcome, and why."""

from collections.abc import Mapping

from orchestrator_py.reading.events import events_of, is_reuse
from orchestrator_py.reading.files import Data, UnreadableError
from orchestrator_py.reading.flights import Flight
from orchestrator_py.reading.run import Run, text_of

LARGEST_READ = 4 * 1024 * 1024

Told = dict[str, Data]
"""By stage id: `instance` has taken it, `attempt` is the last that was started, on a `worker` if elsewhere; after its end `outcome`,
`reason`, `flaky`, `waived`.
"""


def read_stage_events(run: Run) -> Told:
    """Of the run itself, not of its child runs. Without a log of events nothing is told. UnreadableError if it is no file."""
    if isinstance(run, Flight):
        return run.told
    told: Told = {}
    problems: list[UnreadableError] = []
    for event in events_of(run, ("stage:started", "tool:call", "stage:completed"), problems, most=LARGEST_READ):
        _tell(told.setdefault(text_of(event, "stageId"), {}), event)
    for problem in problems:
        raise problem
    return told


def exact_word(word: str, told: Mapping[str, object]) -> str:
    """The manifest has one word for all bad ends, and one for those that were waived; the events tell which it was."""
    outcome = told.get("outcome")
    if word not in ("skipped", "failed"):
        return word
    return outcome if isinstance(outcome, str) and outcome not in ("", "succeeded", "skipped") else "failed"


def _tell(stage: Data, event: Data) -> None:
    match event.get("type"):
        case "stage:started":
            stage.clear()  # a run that was taken up again starts what did not succeed anew
            stage["instance"] = event.get("instanceId")
        case "tool:call":
            stage["attempt"] = event.get("attempt")
            if event.get("status") == "started":
                stage["worker"] = event.get("worker")
        case "stage:completed" if "outcome" not in stage or not is_reuse(event):
            stage.update({key: event.get(key) for key in ("outcome", "reason", "flaky", "waived")}, attempt=event.get("attempts"))
