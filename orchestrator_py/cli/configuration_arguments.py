"""The words of the commands that are about the configuration file: `init`, `validate`, `schema`, `completion`."""

import argparse

Parser = argparse.ArgumentParser


def add_init(commands: "argparse._SubParsersAction[Parser]") -> None:
    """`init`, which writes a first configuration."""
    description = "Looks at the repository (Python, Node, Rust, Make) and writes a codex.orchestrator.json to start from."
    init = commands.add_parser("init", help="write a configuration to start from", description=description, allow_abbrev=False)
    init.add_argument("--root", metavar="DIR", help="the repository (CODEX_ORCHESTRATOR_ROOT, else the current folder)")
    init.add_argument("--dry-run", action="store_true", help="only print the file")


def add_validate(commands: "argparse._SubParsersAction[Parser]") -> None:
    """`validate`, which checks the configuration."""
    description = "Checks the whole configuration and names every problem with its place. Starts nothing. Exit code 0 or 2."
    validate = commands.add_parser("validate", help="check the configuration", description=description, allow_abbrev=False)
    validate.add_argument("--root", metavar="DIR", help="the repository (CODEX_ORCHESTRATOR_ROOT, else where the file is found)")
    validate.add_argument("--config", metavar="FILE", help="the configuration (CODEX_ORCHESTRATOR_REPO_CONFIG_PATH, else that of the root)")
    validate.add_argument("--format", choices=("text", "json"), default="text", help="what stands on stdout (default: %(default)s)")


def add_schema(commands: "argparse._SubParsersAction[Parser]") -> None:
    """`schema`, which prints the JSON Schema of the configuration."""
    description = "Prints the JSON Schema of codex.orchestrator.json, for editors and other programs."
    commands.add_parser("schema", help="print the JSON Schema of the configuration", description=description, allow_abbrev=False)


def add_completion(commands: "argparse._SubParsersAction[Parser]") -> None:
    """`completion`, which prints a script for a shell."""
    description = "Prints the completion script of a shell; needs the extra `completion` of the package."
    completion = commands.add_parser("completion", help="print a completion script", description=description, allow_abbrev=False)
    completion.add_argument("shell", choices=("bash", "zsh", "tcsh"), metavar="SHELL", help="bash, zsh or tcsh")
