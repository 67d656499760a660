"""Do the commands exist that a document names? Those of this tool, npm scripts, targets of make, scripts and modules of the project."""

import posixpath
import re
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from itertools import takewhile

from orchestrator_py.core.suggestion import suggest
from orchestrator_py.guards.document import Document
from orchestrator_py.guards.finding import Finding
from orchestrator_py.guards.shell_lines import SHELLS, Command, fence_commands, is_open, span_commands
from orchestrator_py.guards.surroundings import Surroundings
from orchestrator_py.guards.tool import Words

_REFERENCE = "codex-orchestrator"
_BUILT_IN = frozenset({"diagnostics", "design-reference", "hi-fi-design-toolkit"})
_WRAPPERS = frozenset({"sudo", "exec", "time", "env", "npx", "nohup"})
_RUNNERS = frozenset({"uv", "poetry", "pdm", "hatch", "pipenv"})
_MANAGERS = frozenset({"npm", "pnpm", "yarn", "bun"})
_PYTHONS = frozenset({"python", "python3"})
_WITH_VALUE = frozenset({"-j", "-l", "-o", "-W", "-I"})
_ALIKE = 0.85
_PROGRAM = re.compile(r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?")

Wrong = tuple[str, str]
"""Rule and message."""


def check_commands(document: Document, there: Surroundings) -> Iterator[Finding]:
    """Those in code spans and in blocks of a shell; what a reader puts in (`<name>`, `NAME`) is not checked."""
    for line, command, folder, certain in _commands(document):
        for rule, message in _check(_unwrapped(command), folder, there):
            if certain or rule != "doc-script":
                remedy = "Correct the document, or add what it names"
                yield Finding(file=document.path, line=line, rule=rule, message=message, remedy=remedy)


def _commands(document: Document) -> Iterator[tuple[int, Command, str | None, bool]]:
    """Line, words, the folder where they stand (None if that cannot be told), and whether they are surely a command."""
    for span in document.spans:
        yield from ((span.line, command, "", True) for command in span_commands(span))
    for fence in document.fences:
        folder: str | None = ""
        for line, several in fence_commands(fence) if fence.language in SHELLS else ():
            for command in several:
                yield line, command, folder, fence.language != ""
                if command[0] in ("cd", "pushd", "popd"):
                    folder = _changed(folder, command)


def _changed(folder: str | None, command: Command) -> str | None:
    if folder is None or len(command) != 2 or is_open(command[1]) or command[1].startswith(("/", "~", "-")):
        return None
    path = posixpath.normpath(posixpath.join(folder, command[1]))
    return None if path.startswith("..") else "" if path == "." else path


def _unwrapped(command: Command) -> Command:
    """Without what only starts another command."""
    while command and command[0] in _WRAPPERS:
        command = command[1:]
        while command and command[0].startswith("-"):
            command = command[1:]
    return command[2:] if len(command) > 2 and command[0] in _RUNNERS and command[1] == "run" else command


def _check(command: Command, folder: str | None, there: Surroundings) -> Iterator[Wrong]:
    match command:
        case (manager, "run" | "run-script", script, *rest) if manager in _MANAGERS and folder is not None:
            yield from _check_script(script, rest, folder, there)
        case ("make" | "gmake", *words) if folder is not None:
            yield from _check_targets(words, folder, there)
        case (python, "-m", module, *rest) if python in _PYTHONS:
            tool = module.replace("_", "-")
            yield from _check_tool(tool, rest, there) if tool in there.tools else _check_module(module, there)
        case (name, "start", pipeline, *_) if name.rpartition("/")[2] == _REFERENCE:
            yield from _check_pipeline(pipeline, there, _BUILT_IN)
        case (name, *rest) if name in there.tools:
            yield from _check_tool(name, rest, there)
        case (name, *_):
            yield from _check_name(name, there)


def _check_script(script: str, rest: Iterable[str], folder: str, there: Surroundings) -> Iterator[Wrong]:
    if script.startswith("-") or is_open(script) or {"-w", "--workspace", "--prefix", "-C", "--filter"} & set(rest):
        return
    known = there.npm_scripts(folder)
    if script not in known:
        where = posixpath.join(folder, "package.json")
        yield "doc-npm-script", f"{where} has no script {script!r}{suggest(script, sorted(known)) if known else ''}"


def _check_targets(words: Iterable[str], folder: str, there: Surroundings) -> Iterator[Wrong]:
    """Elsewhere (-C) or with another file (-f) nothing can be told."""
    targets: list[str] = []
    skip = False
    for word in words:
        if word.startswith(("-C", "-f", "--directory", "--file", "--makefile")):
            return
        if not skip and not word.startswith("-") and "=" not in word and not is_open(word):
            targets.append(word)
        skip = word in _WITH_VALUE
    known = there.make_targets(folder) if targets else None
    if known is None:
        return
    for target in targets:
        if target not in known and not target.isdigit() and not there.exists(posixpath.join(folder, target)):
            yield "doc-make-target", f"there is no Makefile target {target!r}{suggest(target, sorted(known)) if known else ''}"


def _check_module(module: str, there: Surroundings) -> Iterator[Wrong]:
    """A module of the project: its first part is a folder in the root, or below `src`."""
    path = module.replace(".", "/")
    base = next((base for base in ("", "src/") if there.is_folder(base + path.partition("/")[0])), None)
    if base is None or "/" not in path or is_open(module):
        return
    if not there.exists(f"{base}{path}.py") and not there.is_folder(base + path):
        yield "doc-module", f"there is no module {module!r}"


def _check_tool(name: str, rest: Iterable[str], there: Surroundings) -> Iterator[Wrong]:
    """Commands and options of it; the pipeline that stands right behind `run` or `plan`."""
    words, path = there.tools[name], [name]
    left = list(takewhile(lambda word: word != "--", rest))
    for word, before in zip(left, [name, *left], strict=False):
        if word.startswith("-"):
            yield from _check_option(word, words, path)
        elif not words.commands:
            if before == path[-1] in ("run", "plan"):
                yield from _check_pipeline(word, there, frozenset())
        elif word in words.commands:
            words = words.commands[word]
            path.append(word)
        else:
            if not is_open(word):
                yield "doc-command", f"`{' '.join(path)}` has no command {word!r}{suggest(word, words.commands)}"
            return


def _check_option(word: str, words: Words, path: Iterable[str]) -> Iterator[Wrong]:
    """A long one; of short ones there may be several in a word."""
    option = word.partition("=")[0]
    if option.startswith("--") and option not in words.options and not is_open(option):
        yield "doc-option", f"`{' '.join(path)}` has no option {option!r}{suggest(option, sorted(words.options))}"


def _check_pipeline(pipeline: str, there: Surroundings, built_in: frozenset[str]) -> Iterator[Wrong]:
    """Without a configuration nothing is known of pipelines; those that examples configure count as well."""
    known = (there.pipelines or frozenset()) | there.example_pipelines | built_in
    if there.pipelines is not None and pipeline not in known and not is_open(pipeline) and not pipeline.startswith("-"):
        yield "doc-pipeline", f"no pipeline is called {pipeline!r}{suggest(pipeline, sorted(known))}"


def _check_name(name: str, there: Surroundings) -> Iterator[Wrong]:
    """Whatever a document starts may exist somewhere; what is called almost like a script of the project is mistyped."""
    if len(name) < 6 or name in there.console_scripts or not _PROGRAM.fullmatch(name):
        return
    for script in sorted(there.console_scripts):
        if SequenceMatcher(None, name, script).ratio() >= _ALIKE:
            yield "doc-script", f"the project has no script {name!r}; did you mean {script!r}?"
            return
