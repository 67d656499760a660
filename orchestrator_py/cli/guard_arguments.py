"""The words of `guard` and its guards."""

from orchestrator_py.cli.path_arguments import path

TYPE_CHECKING = False  # type checkers read the names; who calls a command plainly is spared argparse
if TYPE_CHECKING:
    from argparse import ArgumentParser, _MutuallyExclusiveGroup, _SubParsersAction

    Guards = _SubParsersAction[ArgumentParser]

_EXIT_CODES = """\
exit codes:
  0   nothing was found, or --dry-run, or an override with a reason
  1   something was found
  2   wrong usage, or a base that is no commit; nothing was checked"""


def add_guard(guard: "ArgumentParser") -> None:
    """`guard`, which has commands of its own."""
    guard.description = "Checks what `guardrails` asks for."
    guard.epilog = _EXIT_CODES
    guards = guard.add_subparsers(dest="guard", metavar="GUARD", required=True)
    _add_spec(guards)
    _add_docs(guards)
    _add_budget(guards)
    _add_all(guards)


def _add_spec(guards: "Guards") -> None:
    description = "Changed code needs a changed specification, and each specification a last_review that is not long ago."
    spec = _add(guards, "spec", "changed code has a changed, reviewed specification", description)
    _add_base(spec, "BASE_SHA")
    _add_common(spec)


def _add_docs(guards: "Guards") -> None:
    description = "What the documents name exists: paths, links, anchors, commands, scripts; and their examples can be parsed."
    from argparse import SUPPRESS

    docs = _add(guards, "docs", "what the documents name exists", description)
    docs.add_argument("--check", action="store_true", help=SUPPRESS)  # what the reference calls it; there is nothing else to do
    _add_common(docs)


def _add_budget(guards: "Guards") -> None:
    description = "A change has at most so many files and lines. DIFF_BUDGET_OVERRIDE_REASON waives it, and the reason is told."
    budget = _add(guards, "diff-budget", "a change is small enough to be read", description)
    against = budget.add_mutually_exclusive_group()
    _add_base(against, "DIFF_BUDGET_BASE, BASE_SHA")
    against.add_argument("--commit", metavar="REF", help="only what this commit changes")
    against.add_argument("--range", metavar="A..B", help="only what the commits between the two change")
    _add_limits(budget)
    _add_common(budget)


def _add_all(guards: "Guards") -> None:
    every = _add(guards, "all", "all of them", "Runs every guard.")
    _add_base(every, "BASE_SHA; for the budget first DIFF_BUDGET_BASE")
    _add_limits(every)
    _add_common(every)


def _add(guards: "Guards", name: str, what: str, description: str) -> "ArgumentParser":
    return guards.add_parser(name, help=what, description=description, epilog=_EXIT_CODES, allow_abbrev=False)


def _add_base(guard: "ArgumentParser | _MutuallyExclusiveGroup", variables: str) -> None:
    guard.add_argument(
        "--base", metavar="REF", help=f"what the change is held against ({variables}, else origin/main, else the first commit)"
    )


def _add_limits(guard: "ArgumentParser") -> None:
    guard.add_argument("--max-files", metavar="N", help="files that a change may have (DIFF_BUDGET_MAX_FILES, else the configuration)")
    guard.add_argument("--max-lines", metavar="N", help="lines, added or deleted (DIFF_BUDGET_MAX_LINES, else the configuration)")


def _add_common(guard: "ArgumentParser") -> None:
    guard.add_argument("--dry-run", action="store_true", help="say what is found, and end with 0")
    add_repository(guard)


def add_repository(guard: "ArgumentParser") -> None:
    """Where the repository and its configuration are, and how it is told what is found."""
    guard.add_argument("--root", type=path, metavar="DIR", help="the repository (CODEX_ORCHESTRATOR_ROOT, else where it is found)")
    guard.add_argument(
        "--config",
        type=path,
        metavar="FILE",
        help="the configuration (CODEX_ORCHESTRATOR_REPO_CONFIG_PATH, else codex.orchestrator.json in the root, if there is one)",
    )
    guard.add_argument("--format", choices=("text", "json"), default="text", help="what stands on stdout (default: %(default)s)")
    guard.add_argument(
        "--github",
        action="boolean",
        default=None,
        help="annotations for a GitHub workflow (default: if GITHUB_ACTIONS=true)",
    )
