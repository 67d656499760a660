"""The configuration file on disk."""

from json import JSONDecodeError
from pathlib import Path

from orchestrator_py.core.configuration import MINIMAL_CONFIGURATION, parse_configuration
from orchestrator_py.core.json_text import parse_json
from orchestrator_py.errors import ConfigurationError
from orchestrator_py.model.pipeline import Configuration

_BYTE_ORDER_MARK = "\ufeff"


def read_configuration(path: Path) -> Configuration:
    """The configuration in the file; ConfigurationError, naming the file and the remedy, if there is none that can run."""
    text = _read_text(path).removeprefix(_BYTE_ORDER_MARK)
    try:
        data = parse_json(text)
    except JSONDecodeError as error:
        raise ConfigurationError(
            f"{path}:{error.lineno}:{error.colno}: not JSON: {error.msg}. Correct line {error.lineno}, column {error.colno}."
        ) from None
    except ValueError as error:
        raise ConfigurationError(f"{path}: {error}") from None
    return parse_configuration(data, source=str(path))


def _read_text(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        raise ConfigurationError(f"{path} is missing. Create it; the smallest one is {MINIMAL_CONFIGURATION}") from None
    except IsADirectoryError:
        raise ConfigurationError(f"{path} is a folder. Name a JSON file, or move the folder away.") from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not UTF-8 (byte {error.start}). Save it as UTF-8.") from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}. Check the path and its permissions.") from None
