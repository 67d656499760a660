"""Can the examples of a document be parsed? JSON, TOML and Python; a shell line with its placeholders is none that a shell takes."""

import json
import re
import warnings
from textwrap import dedent

from orchestrator_py.guards.document import Fence

_SESSION = re.compile(r"^\s*(?:%{1,2}[a-zA-Z]|![\w./])", re.MULTILINE)  # IPython
_ELLIPSIS = re.compile(r"\.\.\.|…")


def example_problem(fence: Fence) -> tuple[int, str] | None:
    """The line in the document and what is wrong there; None if it can be parsed, is in another language, or leaves something out."""
    match fence.language:
        case "json":
            problem = _json_problem(fence.text)
        case "toml":
            problem = _toml_problem(fence.text)
        case "python" | "py" | "python3":
            return _at(fence, _python_problem(dedent(fence.text)))
        case _:
            return None
    return None if _ELLIPSIS.search(fence.text) else _at(fence, problem)


def example_pipelines(fence: Fence) -> frozenset[str]:
    """The ids of the pipelines that an example configures."""
    try:
        data = json.loads(fence.text) if fence.language == "json" else None
    except (ValueError, RecursionError):
        data = None
    pipelines = data.get("pipelines") if isinstance(data, dict) else None
    listed = pipelines if isinstance(pipelines, list) else ()
    return frozenset(str(pipeline.get("id")) for pipeline in listed if isinstance(pipeline, dict))


def _at(fence: Fence, problem: tuple[int, str] | None) -> tuple[int, str] | None:
    return problem and (fence.line + problem[0] - 1, problem[1])


def _json_problem(text: str) -> tuple[int, str] | None:
    """One document, one a line, or some members of an object."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return None if _is_json_lines(text) or _is_json_excerpt(text) else (error.lineno, error.msg)
    except RecursionError:
        return 1, "nested too deeply"
    except ValueError:  # an integer of more digits than are read
        return None
    return None


def _is_json_lines(text: str) -> bool:
    try:
        return bool([json.loads(line) for line in text.splitlines() if line.strip()])
    except (ValueError, RecursionError):
        return False


def _is_json_excerpt(text: str) -> bool:
    """What stands between the braces of an object that is not shown; its end may stand there with a comma."""
    try:
        return bool(json.loads(f"{{{text.strip().removesuffix(',')}}}"))
    except (ValueError, RecursionError):
        return False


def _toml_problem(text: str) -> tuple[int, str] | None:
    import tomllib

    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at line (\d+), column \d+\)", str(error))
        return int(place[1]) if place else text.count("\n") + 1, re.sub(r" \(at .*\)$", "", str(error))
    except RecursionError:
        return 1, "nested too deeply"
    except ValueError:  # an integer of more digits than are read
        return None
    return None


def _python_problem(text: str) -> tuple[int, str] | None:
    """`await` may stand outside of functions. Sessions (`>>>`, `%magic`, `!command`) are no programs; a line may leave something out."""
    import ast

    if text.lstrip().startswith(">>>") or _SESSION.search(text):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "example", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except SyntaxError as error:
        return None if _ELLIPSIS.search(error.text or "") else (error.lineno or 1, error.msg)
    except (ValueError, RecursionError, MemoryError) as error:  # a NUL character, or nested too deeply
        return 1, str(error) or "nested too deeply"
    return None
