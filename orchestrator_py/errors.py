"""Every error that leaves the package, grouped by whose move is next."""


class OrchestratorError(Exception):
    """Root of the tree: `except OrchestratorError` catches everything that this package raises on purpose."""


# You fix the input -------------------------------------------------------------------------------------------------


class InputError(OrchestratorError):
    """Nothing was started: a name, an argument or a file has to be changed first."""


class IdentifierError(InputError, ValueError):
    """A task or run id that cannot name a folder."""


class ConfigurationError(InputError):
    """A configuration that cannot run. The message holds file, place and remedy, one problem a line."""


class DecodeError(InputError, ValueError):
    """JSON data that does not have the shape of the type asked for. The message names the place."""


# The work failed ---------------------------------------------------------------------------------------------------


class WorkError(OrchestratorError):
    """The run could not give an answer, and it is not the input's fault."""


class PlanError(WorkError):
    """The planner returned nothing that can run, or more than one candidate without a selection."""


# The disk failed ---------------------------------------------------------------------------------------------------


class StoreError(OrchestratorError):
    """Something could not be put on record. The message names the path, what failed and what to do."""


class HistoryChangedError(StoreError):
    """metrics.json is not what the journal continues: another program changed it."""


class NotRecordedError(StoreError):
    """A run has ended and has its verdict, but its entry is not known to be on record.

    `entry` is the line that can be recorded later (`orchestrator-py metrics record`), without its newline; `report` is what the run came to
    (a ClosedRun).
    """

    def __init__(self, message: str, *, entry: bytes = b"", report: object = None) -> None:
        super().__init__(message)
        self.entry = entry
        self.report = report


class RunHeldError(OrchestratorError):
    """The run belongs to another live process."""


# Our defect --------------------------------------------------------------------------------------------------------


class DefectError(OrchestratorError):
    """The record contradicts itself; the report cannot be vouched for."""
