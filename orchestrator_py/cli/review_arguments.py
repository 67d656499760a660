"""The words of `review`."""

from orchestrator_py.cli.guard_arguments import add_repository

TYPE_CHECKING = False  # type checkers read the name; who calls a command plainly is spared argparse
if TYPE_CHECKING:
    from argparse import ArgumentParser

_EXIT_CODES = """\
exit codes:
  0   approved: a reviewer has ended with 0 and has not said otherwise
  1   not reviewed: the change is over its budget
  2   wrong usage, no run to review, or a base that is no commit; nothing was checked
  3   rejected
  5   not reviewed: there is no reviewer, or --dry-run
  6   crashed: the reviewer could not be started, was killed, or ran out of time
  74  review.md or review.json could not be written
SIGINT, SIGTERM and SIGHUP end the reviewer, and then this program: a shell shows 130, 143, 129."""


def add_review(review: "ArgumentParser") -> None:
    """`review`, which hands a change to a reviewer."""
    review.description = (
        "Measures the change, writes the evidence as review.md into the run's folder, and gives it to the reviewer on stdin."
    )
    review.epilog = _EXIT_CODES
    review.add_argument(
        "--manifest",
        metavar="FILE",
        help="of the run (MANIFEST, CODEX_ORCHESTRATOR_MANIFEST_PATH, else that of the newest run)",
    )
    review.add_argument("--runs-dir", metavar="DIR", help="where runs are (CODEX_ORCHESTRATOR_RUNS_DIR, else .runs)")
    review.add_argument("--task", metavar="ID", help="the task of the run (TASK, MCP_RUNNER_TASK_ID, else any)")
    scope = review.add_mutually_exclusive_group()
    scope.add_argument("--base", metavar="REF", help="what the change is held against (DIFF_BUDGET_BASE, BASE_SHA, else origin/main)")
    scope.add_argument("--commit", metavar="REF", help="only what this commit changes")
    scope.add_argument("--uncommitted", action="store_true", help="only what is not committed")
    review.add_argument("--title", metavar="TEXT", help="what the change is called (default: the title of the pipeline)")
    review.add_argument("--timeout", metavar="SECONDS", help="what the reviewer may take; then it is ended, which is a crash")
    review.add_argument("--dry-run", action="store_true", help="print what the reviewer would get, write nothing, ask nobody")
    add_repository(review)
