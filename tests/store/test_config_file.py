"""The configuration file on disk: every way in which it may not be there."""

from pathlib import Path

import pytest

from orchestrator_py.core.configuration import MINIMAL_CONFIGURATION
from orchestrator_py.errors import ConfigurationError
from orchestrator_py.store.config_file import read_configuration


def _refusal(path: Path) -> str:
    with pytest.raises(ConfigurationError) as refused:
        read_configuration(path)
    return str(refused.value)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "codex.orchestrator.json"


def test_a_file_is_read_and_named_as_the_source(path: Path) -> None:
    path.write_text(MINIMAL_CONFIGURATION)
    configuration = read_configuration(path)
    assert configuration.source == str(path)
    assert [pipeline.id for pipeline in configuration.pipelines] == ["diagnostics"]


def test_a_byte_order_mark_does_no_harm(path: Path) -> None:
    path.write_text(MINIMAL_CONFIGURATION, encoding="utf-8-sig")
    assert read_configuration(path).pipelines[0].id == "diagnostics"


def test_a_missing_file_is_told_with_what_a_small_one_looks_like(path: Path) -> None:
    message = _refusal(path)
    assert message.startswith(f"{path} is missing.")
    assert message.endswith(MINIMAL_CONFIGURATION)


def test_a_folder_is_no_file(path: Path) -> None:
    path.mkdir()
    assert _refusal(path) == f"{path} is a folder. Name a JSON file, or move the folder away."


def test_a_link_to_itself_is_told(path: Path) -> None:
    path.symlink_to(path)
    assert _refusal(path).startswith(f"{path} cannot be read: ")


def test_a_path_through_a_file_is_told(path: Path) -> None:
    path.write_text("{}")
    assert _refusal(path / "codex.orchestrator.json").startswith(f"{path}/codex.orchestrator.json cannot be read: ")


def test_a_file_that_is_not_utf_8_is_told_with_the_byte(path: Path) -> None:
    path.write_bytes(b'{"a": "\xff"}')
    assert _refusal(path) == f"{path} is not UTF-8 (byte 7). Save it as UTF-8."


@pytest.mark.parametrize(
    ("text", "line", "column"), [("", 1, 1), ('{\n  "pipelines": [,]\n}', 2, 17), ("{'a': 1}", 1, 2), ('{"a": 1} x', 1, 10)]
)
def test_a_file_that_is_not_json_is_told_with_line_and_column(path: Path, text: str, line: int, column: int) -> None:
    path.write_text(text)
    message = _refusal(path)
    assert message.startswith(f"{path}:{line}:{column}: not JSON:")
    assert message.endswith(f"Correct line {line}, column {column}.")


@pytest.mark.parametrize("text", ['{"a": NaN}', '{"a": 1e999}', "[" * 100_000])
def test_what_only_looks_like_json_is_told_with_the_file(path: Path, text: str) -> None:
    path.write_text(text)
    assert _refusal(path).startswith(f"{path}")


def test_what_is_wrong_inside_is_told_with_the_file(path: Path) -> None:
    path.write_text('{"pipelines": [{"id": "p"}]}')
    assert _refusal(path) == f"{path}: $.pipelines[0]: the key 'stages' is missing"
