"""The words of the commands that are about the configuration file: `init`, `validate`, `schema`, `completion`."""

TYPE_CHECKING = False  # type checkers read the name; who calls a command plainly is spared argparse
if TYPE_CHECKING:
    from argparse import ArgumentParser


def add_init(init: "ArgumentParser") -> None:
    """`init`, which writes a first configuration."""
    init.description = "Looks at the repository (Python, Node, Rust, Make) and writes a codex.orchestrator.json to start from."
    init.add_argument("--root", metavar="DIR", help="the repository (CODEX_ORCHESTRATOR_ROOT, else the current folder)")
    init.add_argument("--dry-run", action="store_true", help="only print the file")


def add_validate(validate: "ArgumentParser") -> None:
    """`validate`, which checks the configuration."""
    validate.description = "Checks the whole configuration and names every problem with its place. Starts nothing. Exit code 0 or 2."
    validate.add_argument("--root", metavar="DIR", help="the repository (CODEX_ORCHESTRATOR_ROOT, else where the file is found)")
    validate.add_argument("--config", metavar="FILE", help="the configuration (CODEX_ORCHESTRATOR_REPO_CONFIG_PATH, else that of the root)")
    validate.add_argument("--format", choices=("text", "json"), default="text", help="what stands on stdout (default: %(default)s)")


def add_schema(schema: "ArgumentParser") -> None:
    """`schema`, which prints the JSON Schema of the configuration."""
    schema.description = "Prints the JSON Schema of codex.orchestrator.json, for editors and other programs."


def add_completion(completion: "ArgumentParser") -> None:
    """`completion`, which prints a script for a shell."""
    completion.description = "Prints the completion script of a shell; needs the extra `completion` of the package."
    completion.add_argument("shell", choices=("bash", "zsh", "tcsh"), metavar="SHELL", help="bash, zsh or tcsh")
