"""The key `guardrails` of the configuration."""

import posixpath
from collections.abc import Iterable
from typing import Any

from orchestrator_py.core.codec.configuration import CONVERTER, GuardrailsDocument
from orchestrator_py.core.codec.problems import Problem
from orchestrator_py.core.codec.strict import decode_at
from orchestrator_py.model.guard_settings import GuardSettings


def read_guardrails(data: object, problems: list[Problem]) -> GuardSettings:
    """What the data says, the defaults for the rest. Adds to `problems` what is wrong in it."""
    document = None if data is None else decode_at(CONVERTER, GuardrailsDocument, data, "$.guardrails", problems)
    if document is None:
        return GuardSettings()
    said: dict[str, Any] = {
        "code_paths": _paths(document.code_paths),
        "spec_folders": _paths(document.spec_folders),
        "doc_roots": _paths(document.doc_roots),
        "ignored_paths": _paths(document.ignored_paths),
        "max_files": document.max_files,
        "max_lines": document.max_lines,
        "review_command": document.review and document.review.command,
    }
    said = {key: value for key, value in said.items() if value is not None}
    return GuardSettings(**said, max_age_days=document.max_age_days)


def _paths(paths: Iterable[str] | None) -> tuple[str, ...] | None:
    return None if paths is None else tuple(posixpath.normpath(path.strip()) for path in paths)
