"""Reading a run's manifest back."""

from orchestrator_py.core.codec.contract import from_json
from orchestrator_py.core.json_text import parse_json
from orchestrator_py.errors import DecodeError
from orchestrator_py.ids import RunId
from orchestrator_py.model.manifest import Manifest
from orchestrator_py.store.files import read_bytes
from orchestrator_py.store.formats import MANIFEST_VERSION, NewerManifestError, is_newer, newer_format
from orchestrator_py.store.layout import TaskLayout


def read_manifest(task: TaskLayout, run_id: RunId) -> Manifest | None:
    """The run's manifest, None if there is none. DecodeError names the file and what is wrong in it, StoreError why it cannot be read."""
    path = task.cli_run(run_id).manifest
    data = read_bytes(path)
    if data is None:
        return None
    try:
        document = parse_json(data)
        if isinstance(document, dict) and is_newer(document, MANIFEST_VERSION):
            raise NewerManifestError(newer_format(path, document["version"], MANIFEST_VERSION))
        return from_json(Manifest, document)
    except NewerManifestError:
        raise
    except ValueError as error:  # a DecodeError is one
        raise DecodeError(f"{path}: this is no manifest ({error}); put the file back, or start a new run.") from None
