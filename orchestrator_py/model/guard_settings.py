"""What the guards hold a repository to. Paths are relative to it, `/` between their parts, none at their ends."""

from orchestrator_py.lean import frozen

ROOT = "."


@frozen(kw_only=True)
class GuardSettings:
    """The defaults are the contract's. A path stands for itself and, if it is a folder, for everything below it; `.` for the repository.

    Code is what lies in `code_paths`, a change of it needs one in `spec_folders`, whose documents were reviewed in the last `max_age_days`;
    None is any time ago. `doc_roots` are documents and folders of documents. What lies in `ignored_paths` is in no budget, and documents
    may name it before it is there. `max_files` and `max_lines` are what one change may have; `review_command` is a shell command.
    """

    code_paths: tuple[str, ...] = ("src", "app", "server", "migrations", "db/migrations", "prisma/migrations")
    spec_folders: tuple[str, ...] = ("tasks/specs", "docs/design/specs", "tasks/index.json")
    max_age_days: int | None = 30
    doc_roots: tuple[str, ...] = ("README.md", "AGENTS.md", ".agent", ".ai-dev-tasks", "docs", "tasks")
    ignored_paths: tuple[str, ...] = ("package-lock.json", ".runs", "archives", "dist", "node_modules", "out")
    max_files: int = 25
    max_lines: int = 800
    review_command: str | None = None
