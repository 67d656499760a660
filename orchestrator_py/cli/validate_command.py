"""`validate`: the whole configuration checked, nothing started."""

from argparse import Namespace

from orchestrator_py.cli.console import print_json, print_lines, say
from orchestrator_py.cli.exit_codes import code_of_error
from orchestrator_py.cli.workspace import find_configuration
from orchestrator_py.errors import ConfigurationError
from orchestrator_py.model.pipeline import Configuration
from orchestrator_py.store.config_file import read_configuration


def validate(arguments: Namespace) -> int:
    """The exit code: 0, or 2 if it cannot run."""
    path = find_configuration(arguments)
    try:
        configuration = read_configuration(path)
    except ConfigurationError as error:
        if arguments.format == "text":
            raise
        say(str(error))
        return print_json(_data(str(path), problems=str(error).split("\n")), code_of_error(error))
    for warning in configuration.warnings:
        say(f"warning: {warning}")
    if arguments.format == "json":
        return print_json(_data(str(path), configuration), 0)
    return print_lines([f"{path}: valid, {_count(configuration)}"], 0)


def _data(source: str, configuration: Configuration | None = None, problems: list[str] | None = None) -> dict[str, object]:
    """The one JSON document of `validate --format json`; `problems` are lines, each with file and place."""
    pipelines = configuration.pipelines if configuration else ()
    return {
        "source": source,
        "valid": configuration is not None,
        "problems": problems or [],
        "warnings": list(configuration.warnings) if configuration else [],
        "pipelines": [{"id": pipeline.id, "stages": len(pipeline.stages)} for pipeline in pipelines],
    }


def _count(configuration: Configuration) -> str:
    stages = sum(len(pipeline.stages) for pipeline in configuration.pipelines)
    return f"{_many(len(configuration.pipelines), 'pipeline')} with {_many(stages, 'stage')}"


def _many(number: int, noun: str) -> str:
    return f"1 {noun}" if number == 1 else f"{number} {noun}s"
