"""The key `guardrails` of the configuration, as the guards see it."""

from orchestrator_py.core.configuration import parse_configuration
from orchestrator_py.model.guard_settings import GuardSettings


def settings(**said: object) -> GuardSettings:
    return parse_configuration({"guardrails": said}, source="test").guardrails


def test_without_the_key_the_defaults_hold() -> None:
    assert parse_configuration({}, source="test").guardrails == settings() == GuardSettings()


def test_a_limit_of_age_can_be_taken_away_and_null_elsewhere_is_the_default() -> None:
    assert settings(maxAgeDays=None).max_age_days is None
    assert settings(maxFiles=None, maxAgeDays=None).max_files == GuardSettings().max_files


def test_every_key_has_its_place() -> None:
    said = settings(
        codePaths=["a/"],
        specFolders=["./b"],
        maxAgeDays=1,
        docRoots=["c//d", "."],
        ignoredPaths=[],
        maxFiles=2,
        maxLines=3,
        review={"command": "make review"},
    )
    assert said == GuardSettings(
        code_paths=("a",),
        spec_folders=("b",),
        max_age_days=1,
        doc_roots=("c/d", "."),
        ignored_paths=(),
        max_files=2,
        max_lines=3,
        review_command="make review",
    )
