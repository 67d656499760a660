"""One command-line run as its manifest tells it, and whether anybody still works at it."""

import os
import stat
from collections import Counter
from collections.abc import Mapping

from orchestrator_py.core import places
from orchestrator_py.errors import StoreError
from orchestrator_py.reading.files import Data, UnreadableError, read_document
from orchestrator_py.reading.locks import is_locked

QUEUED, RUNNING, LOST, NOTHING_RAN = "queued", "running", "lost", "nothing_ran"
_STATUSES = {"queued": QUEUED, "in_progress": RUNNING, "succeeded": "succeeded", "failed": "failed", "cancelled": "cancelled"}
_EXACT = ("failed", "rejected", "timed_out", "crashed", "error")
WORDS = (QUEUED, RUNNING, LOST, "succeeded", *_EXACT, "cancelled", NOTHING_RAN)
"""Where a run may stand: going on, lost (nobody works at it, and how it ended is not known), or ended with an outcome."""


class Run:
    """The manifest of one run, read at one moment; `word` is one of WORDS."""

    __slots__ = ("manifest", "path", "run_id", "task", "word")

    def __init__(self, *, task: str, run_id: str, path: str, manifest: Data, word: str) -> None:
        self.task = task
        self.run_id = run_id
        self.path = path
        self.manifest = manifest
        self.word = word

    @property
    def has_ended(self) -> bool:
        """Nothing will change any more, unless the run is taken up again."""
        return self.word not in (QUEUED, RUNNING)

    def text(self, key: str) -> str:
        """What stands under a key of the manifest, empty if it is no text."""
        return text_of(self.manifest, key)

    def objects(self, key: str) -> list[Data]:
        """The objects of a list in the manifest."""
        value = self.manifest.get(key)
        return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []

    @property
    def counts(self) -> Counter[str]:
        """How many of its stages have which word."""
        return Counter(map(self.stage_word, self.objects("commands")))

    @property
    def last_seen(self) -> str:
        """When its own process last told of it, empty if that is not known: who seals a lost run has not seen it."""
        is_sealed = self.word == LOST and self.text("status") == "failed"
        return self.text("heartbeat_at" if is_sealed else "updated_at")

    def elapsed(self, now: str) -> float | None:
        """Seconds up to its end, or up to now; None if nobody saw it end."""
        return None if self.word == LOST else _seconds(self.manifest.get("started_at"), self.manifest.get("completed_at") or now)

    def stage_word(self, stage: Data, told: Mapping[str, object] | None = None) -> str:
        """Where a stage stands. What ran in a lost run that was sealed has failed, as its record says, without an end that anybody saw.

        Unless it is `told`: the events of a run whose process died may know the end of a stage that its manifest does not.
        """
        status = text_of(stage, "status")
        is_sealed = status == "failed" and self.word == LOST and not stage.get("completed_at")
        word = LOST if is_sealed else self.word_of_status(status)
        return (_word_told(told) or LOST) if word == LOST and told else word

    def word_of_status(self, status: str) -> str:
        """What runs in a run that has ended, or was lost, is lost."""
        return LOST if status == RUNNING and self.has_ended else status or "unknown"

    def stage_elapsed(self, stage: Data, now: str) -> float | None:
        """Seconds that a stage took, or has taken by now."""
        end = stage.get("completed_at") or (now if self.stage_word(stage) == RUNNING else None)
        return _seconds(stage.get("started_at"), end)


def _word_told(told: Mapping[str, object]) -> str:
    """The status that the manifest would have, empty if the events tell of no end."""
    match told.get("outcome"):
        case "succeeded":
            return "succeeded"
        case str():
            return "skipped" if told.get("waived") is True else "failed"
    return ""


def _seconds(started_at: object, completed_at: object) -> float | None:
    """The import is for those that look at single runs: totals need no calendar."""
    from orchestrator_py.model.timestamp import seconds_between

    return seconds_between(started_at, completed_at)


def text_of(data: Data, key: str) -> str:
    """What stands under a key, empty if it is no text."""
    value = data.get(key)
    return value if isinstance(value, str) else ""


def read_run(runs_root: str, task: str, run_id: str) -> Run | None:
    """The run, None if it has no manifest. UnreadableError says what is wrong with it."""
    folder = os.path.join(runs_root, task, places.RUNS_OF_COMMAND_LINE, run_id)
    path = os.path.join(folder, places.MANIFEST)
    _refuse_link(folder)
    manifest = _read_manifest(path)
    if manifest is None:
        return None
    word = _word(manifest)
    if word in (QUEUED, RUNNING) and not is_alive(runs_root, task, run_id):
        manifest = _read_manifest(path) or manifest  # it may have ended between the two looks
        word = _word(manifest)
        word = LOST if word in (QUEUED, RUNNING) else word
    return Run(task=task, run_id=run_id, path=path, manifest=manifest, word=word)


def run_of_manifest(manifest: Data, *, task: str, run_id: str, path: str) -> Run | None:
    """A run that has ended, as this manifest has it; None if it does not say how."""
    return (
        Run(task=task, run_id=run_id, path=path, manifest=manifest, word=_word(manifest))
        if text_of(manifest, "status") in _STATUSES
        else None
    )


def word_of_entry(entry: Mapping[str, object]) -> str:
    """How a run ended of which its entry alone tells, empty if it does not say. One that failed without an end was lost: nobody saw it."""
    status = entry.get("status")
    if status == "failed" and not entry.get("completed_at"):
        return LOST
    return status if isinstance(status, str) else ""


def require_run(runs_root: str, task: str, run_id: str) -> Run:
    """The run; StoreError if it has no manifest, or none that can be read."""
    run = read_run(runs_root, task, run_id)
    if run is None:
        raise StoreError(f"Run {run_id} has no manifest: it has not begun, or somebody has removed it; ask for another one.")
    return run


def is_alive(runs_root: str, task: str, run_id: str) -> bool:
    """Whether the run's process is alive: it holds the lock of the run's marker."""
    return is_locked(os.path.join(runs_root, task, places.LIVE_RUNS, run_id))


def _read_manifest(path: str) -> Data | None:
    manifest = read_document(path)
    if manifest is None:
        return None
    version = manifest.get("version")
    if isinstance(version, int) and version > places.MANIFEST_VERSION:
        problem = f"was written by a newer version of orchestrator-py (format {version}; this one knows {places.MANIFEST_VERSION})"
        raise UnreadableError(path, problem, "upgrade orchestrator-py")
    if text_of(manifest, "status") not in _STATUSES:
        raise UnreadableError(path, "is no manifest")
    return manifest


def _word(manifest: Data) -> str:
    """The exact word, which stands at the end of `status_detail` where `status` has no room for it."""
    word, detail = _STATUSES[text_of(manifest, "status")], text_of(manifest, "status_detail")
    if word != "failed":
        return word
    if detail == "owner-lost" and not text_of(manifest, "completed_at"):
        return LOST
    if detail == "nothing-ran":
        return NOTHING_RAN
    exact = detail.rpartition(":")[2] if detail.startswith(("stage:", "subpipeline:")) else detail.removeprefix("pipeline-")
    return exact if exact in _EXACT else word


def _refuse_link(folder: str) -> None:
    try:
        if stat.S_ISLNK(os.lstat(folder).st_mode):
            raise UnreadableError(folder, "is a symbolic link where a folder belongs")
    except FileNotFoundError:
        return
    except OSError as error:
        raise UnreadableError(folder, f"cannot be looked at: {error.strerror}") from None
