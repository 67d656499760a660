"""`guard`: what was found goes to stdout, notes and annotations to stderr."""

import os
from argparse import Namespace
from collections.abc import Iterator, Sequence

from orchestrator_py.cli.console import print_json, print_lines, say, write_commands
from orchestrator_py.cli.guard_approvals import leave_approvals
from orchestrator_py.cli.guard_place import find_root, named_base, now, on_github, read_budget, read_settings
from orchestrator_py.cli.guard_text import annotations, findings_data, lines
from orchestrator_py.errors import InputError
from orchestrator_py.guards.finding import Report
from orchestrator_py.model.guard_settings import GuardSettings

TYPE_CHECKING = False  # type checkers read the name; without a configuration nothing of it is needed
if TYPE_CHECKING:
    from orchestrator_py.model.pipeline import Configuration

FOUND = 1


def guard(arguments: Namespace) -> int:
    """The exit code: 1 if something was found that neither --dry-run nor a reason waives."""
    root = find_root(arguments)
    configuration = read_settings(arguments, root)
    try:
        reports = list(_reports(arguments, root, configuration))
    except OSError as error:
        raise InputError(f"{error.filename or root}: cannot be read: {error.strerror or error}; check its permissions.") from None
    if not arguments.dry_run:
        leave_approvals(reports)
    code = 0 if arguments.dry_run or not any(report.findings and not report.waived for report in reports) else FOUND
    return _tell(arguments, root, reports, code)


def _reports(arguments: Namespace, root: str, configuration: "Configuration | None") -> Iterator[Report]:
    settings = configuration.guardrails if configuration else GuardSettings()
    wanted = ("spec", "docs", "diff-budget") if arguments.guard == "all" else (arguments.guard,)
    if "spec" in wanted:
        from orchestrator_py.guards.spec_guard import guard_specs

        yield guard_specs(root, settings, base=named_base(arguments, "BASE_SHA"), now=now())
    if "docs" in wanted:
        yield _guard_docs(root, settings, configuration)
    if "diff-budget" in wanted:
        yield _guard_budget(arguments, root, settings)


def _guard_docs(root: str, settings: GuardSettings, configuration: "Configuration | None") -> Report:
    from orchestrator_py.cli.guard_words import tools
    from orchestrator_py.guards.docs_guard import guard_docs
    from orchestrator_py.guards.surroundings import Surroundings

    pipelines = frozenset(pipeline.id for pipeline in configuration.pipelines) if configuration else None
    return guard_docs(Surroundings(root, pipelines=pipelines, tools=tools()), settings)


def _guard_budget(arguments: Namespace, root: str, settings: GuardSettings) -> Report:
    from orchestrator_py.guards.budget import OVERRIDE
    from orchestrator_py.guards.budget_guard import Measured, guard_budget

    commit, span = getattr(arguments, "commit", None), getattr(arguments, "range", None)
    base = None if (commit, span) != (None, None) else named_base(arguments, "DIFF_BUDGET_BASE", "BASE_SHA")
    budget = read_budget(settings, arguments.max_files, arguments.max_lines)
    measured = Measured(base=base, commit=commit, range=span)
    return guard_budget(root, budget, settings.ignored_paths, measured=measured, reason=os.environ.get(OVERRIDE))


def _tell(arguments: Namespace, root: str, reports: Sequence[Report], code: int) -> int:
    for report in reports:
        for note in report.notes:
            say(note)
    if on_github(arguments.github):
        write_commands(annotations(reports, root, os.environ.get("GITHUB_WORKSPACE") or root))
    return print_json(findings_data(reports), code) if arguments.format == "json" else print_lines(lines(reports), code)
