"""What `init` writes can run, whatever it found."""

from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.core.configuration import parse_configuration
from orchestrator_py.core.starter import Repository, starter_configuration

REPOSITORIES = st.builds(
    Repository,
    make_targets=st.frozensets(st.sampled_from(["lint", "build", "test", "check", "docs", "all", "clean"])),
    node_scripts=st.frozensets(st.sampled_from(["lint", "typecheck", "build", "test", "start"])),
    manager=st.sampled_from(["npm", "pnpm"]),
    python_tools=st.frozensets(st.sampled_from(["ruff", "mypy", "pytest"])),
    runner=st.sampled_from(["", "uv run "]),
    rust=st.booleans(),
)


def commands(repository: Repository) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Command and needs of each stage, by its id."""
    (pipeline,) = parse_configuration(starter_configuration(repository), source="init").pipelines
    assert pipeline.parallel
    return {stage.id: (getattr(stage, "command", ""), stage.policy.needs) for stage in pipeline.stages}


@given(REPOSITORIES)
def test_every_starter_is_a_valid_configuration_with_at_least_one_stage(repository: Repository) -> None:
    assert commands(repository)


def test_tests_wait_for_the_build_of_their_own_kind() -> None:
    found = commands(Repository(make_targets=frozenset({"build", "test"}), rust=True))
    assert found["make-test"] == ("make test", ("make-build",))
    assert found["rust-test"] == ("cargo test", ("rust-build",))


def test_one_kind_of_project_needs_no_prefix() -> None:
    found = commands(Repository(python_tools=frozenset({"ruff", "pytest"}), runner="uv run "))
    assert found == {"lint": ("uv run ruff check .", ()), "test": ("uv run python -m pytest", ())}


def test_an_unknown_kind_of_project_gets_a_stage_to_replace() -> None:
    assert list(commands(Repository())) == ["hello"]
