"""The guard of documents: a table of what a document may say, and what is found in it."""

import json
import os
from pathlib import Path

import pytest

from orchestrator_py.guards.docs_guard import guard_docs
from orchestrator_py.guards.finding import Report
from orchestrator_py.guards.surroundings import Surroundings
from orchestrator_py.guards.tool import Words
from orchestrator_py.model.guard_settings import GuardSettings
from tests.guards.repositories import repository

PAGE = "docs/page.md"
PROGRAM = Words(
    options=frozenset({"--version"}),
    commands={
        "run": Words(options=frozenset({"--task", "--jobs"})),
        "metrics": Words(commands={"show": Words(options=frozenset({"--task"}))}),
    },
)
FILES = {
    "README.md": "# Read me\n",
    "src/a.py": "",
    "src/deep/module.py": "",
    "docs/other.md": """
# Other page
## Two words
## Two words
## `code` & [link](page.md) _mark_

Underlined
----

<a id='own'></a>
""",
    "docs/image (1).png": "",
    "docs/ä b.md": "",
    "package.json": json.dumps({"scripts": {"build": "x", "test:unit": "y"}}),
    "web/package.json": json.dumps({"scripts": {"start": "x"}}),
    "Makefile": "NAME := $(shell date):1\nifdef NAME\nendif\nbuild test: src/a.py\n\ttrue\n.PHONY: build\n",
    "computed/Makefile": "%.o: %.c\n\ttrue\n",
    "pyproject.toml": "[project]\nname = 'a'\nscripts = {the-program = 'a:b'}\n",
}


def make(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def guarded(root: Path, settings: GuardSettings | None = None, pipelines: frozenset[str] | None = frozenset({"checks"})) -> Report:
    there = Surroundings(str(root), pipelines=pipelines, tools={"orchestrator-py": PROGRAM})
    return guard_docs(there, settings or GuardSettings())


def found(report: Report) -> list[str]:
    """Line and rule."""
    assert all(finding.file == PAGE for finding in report.findings)
    return [f"{finding.line} {finding.rule}" for finding in report.findings]


def block(language: str, *lines: str) -> str:
    return "\n".join((f"```{language}", *lines, "```"))


SITUATIONS: dict[str, tuple[str, list[str]]] = {
    # Links
    "a link to a file": ("[a](other.md) [b](../src/a.py) [c](/src/a.py) [d](../docs/) [e](.)", []),
    "a link to nothing": ("\n\n[a](others.md)", ["3 doc-link"]),
    "in the second line of a paragraph": ("a\nb [c](no.md) d", ["2 doc-link"]),
    "an image that is not there": ("![a](no.png)", ["1 doc-link"]),
    "with a title": ('[a](no.md "A title")', ["1 doc-link"]),
    "with blanks, brackets, umlauts": ("[a](<image (1).png>) [b](image%20(1).png) [c](%C3%A4%20b.md) [d](image%20\\(1\\).png)", []),
    "by a name": ("[a][b]\n\n[b]: no.md", ["3 doc-link"]),
    "a footnote is no link": ("a[^1]\n\n[^1]: no.md", []),
    "in HTML": ('<a href="no.md">a</a> <img alt="" src="other.md">', ["1 doc-link"]),
    "what lies elsewhere": ("[a](https://example.org/no.md) [b](mailto:a@b.c) [c](../../no.md) [d](//x/y)", []),
    "what is a pattern": ("[a](docs/<name>.md) [b](*.md) [c](a/.../b.md)", []),
    "what is not made yet": ("[a](../dist/a.html) [b](../out/b)", []),
    "from the root of a site": ("[a](/other.md#own) [b](/no.md)", ["1 doc-link"]),
    "a label of MyST": (
        "(here)=\n[a](#here) [b](#own-figure) [c](there/too) [d](#nowhere)\n\n(there/too)=\n:label: own-figure",
        ["2 doc-anchor"],
    ),
    "with a query": ("[a](other.md?plain=1)", []),
    "anchors": ("[a](other.md#other-page) [b](other.md#two-words-1) [c](other.md#code--link-mark) [d](other.md#underlined)", []),
    "an anchor in HTML": ("[a](other.md#own) [b](../src/a.py#L10-L20)", []),
    "an anchor that is not there": ("[a](other.md#two-word)", ["1 doc-anchor"]),
    "an anchor of the page itself": ("# A `b` ##\n\n[a](#a-b) [c](#nowhere)", ["3 doc-anchor"]),
    "a link in code is none": ("`[a](no.md)` and\n\n    [a](no.md)\n\n" + block("md", "[a](no.md)"), []),
    "code over two lines": ("a `b\nc` [d](no.md)", ["2 doc-link"]),
    "marks that belong to nobody": ("a ` b\n\n[c](no.md) `", ["3 doc-link"]),
    "two marks for one": ("``a ` b`` [c](no.md)", ["1 doc-link"]),
    "a link in an item below another": ("- a\n\n    [b](no.md)", ["3 doc-link"]),
    "in a quotation": ("> a\n> [b](no.md)", ["2 doc-link"]),
    "in a comment": ("<!-- [a](no.md)\n\n[b](no.md) -->\n\n[c](no.md)", ["5 doc-link"]),
    "in the rows of a table": ("| a ` | b |\n|---|---|\n| [d](no.md) | ` |", ["3 doc-link"]),
    "switched off": ("<!-- guard-docs: off -->\n[a](no.md)\n\n## B\n\n<!-- guard-docs: on -->\n\n[a](#b) [c](no.md)", ["8 doc-link"]),
    "front matter": ("---\na: `src/no.py`\n---\n\n`src/no.py`", ["5 doc-path"]),
    # Paths
    "a path": ("`src/a.py` `./src/a.py` `src/` `src/deep` `src/a.py:12` `src/a.py:1-3` `docs/other.md#own`", []),
    "a path that is not there": ("`src/b.py`\n`src/no/`", ["1 doc-path", "2 doc-path"]),
    "a path whose first part is not there": ("`lib/a.py` `either/or` `no.md`", []),
    "what the contract ignores": (
        "`src/*.py` `src/<name>.py` `src/...` `../src/b.py` `/src/b.py` `src/b c` `.runs/0101` `dist/a` `src/…`",
        [],
    ),
    "a path from where the page lies": ("`docs/other.md` `src/{a,b}.py` `https://src/a`", []),
    "a path that the reader is to make": ("Create a file `src/new.py` first. Then see `src/no.py`.\n`src/your_file.py`", ["1 doc-path"]),
    "a name on GitHub": ("`src/deep.x` `src/other`\n\n[a](https://github.com/src/deep.x/issues/1)", ["1 doc-path"]),
    # Commands
    "npm": ("`npm run build` `pnpm run test:unit -- -x`", []),
    "an npm script that is not there": (
        "`npm run biuld`\n\n" + block("sh", "npm run build && npm run lint"),
        ["1 doc-npm-script", "4 doc-npm-script"],
    ),
    "npm in another folder": (block("sh", "cd web", "npm run start", "npm run build", "cd ..", "npm run build"), ["4 doc-npm-script"]),
    "npm in a folder that nobody knows": (block("sh", "cd $HOME", "npm run no") + "\n`npm run no -w x` `npm run <name>`", []),
    "make": ("`make build` `make -j 2 test X=1` `make -C computed no` `make src/a.py`", []),
    "a target that is not there": (
        "`make buidl`\n\n" + block("console", "$ make tests", "make: done"),
        ["1 doc-make-target", "4 doc-make-target"],
    ),
    "targets that are computed": (block("sh", "cd computed && make anything"), []),
    "make where there is no Makefile, and others may be meant": (block("sh", "cd web && make anything"), []),
    "make in a sentence": ("We make no promises, and `make` alone is fine.", []),
    "words of a Makefile that are no targets": ("`make ifdef` `make NAME`", ["1 doc-make-target"]),
    "this program": ("`orchestrator-py run checks --task a` `orchestrator-py metrics show --task=b` `orchestrator-py COMMAND --help`", []),
    "a command that is not there": ("`orchestrator-py rnu` `orchestrator-py metrics list`", ["1 doc-command", "1 doc-command"]),
    "an option that is not there": (block("sh", "A=1 orchestrator-py run --taks a \\", "  --job 2"), ["2 doc-option", "2 doc-option"]),
    "a pipeline that is not there": (
        block("", "orchestrator-py run check -j 2", "codex-orchestrator start chekcs"),
        ["2 doc-pipeline", "3 doc-pipeline"],
    ),
    "a pipeline of the reference": ("`npx codex-orchestrator start diagnostics --format json`", []),
    "a pipeline that an example configures": (block("json", '{"pipelines": [{"id": "own"}]}') + "\n`orchestrator-py run own`", []),
    "a script of the project": ("`the-program --x` `uv run the-program x` `another-program x`", []),
    "a script that is mistyped": ("`the-progam --x`\n`uv run the-programm x`", ["1 doc-script", "2 doc-script"]),
    "words that are no command": ("`the-program: {a: b}` `the-programs, and`\n\n" + block("", '"the-progam": 1'), []),
    "a module": ("`python -m src.deep.module` `python3 -m pytest -q` `python -m src.deep`", []),
    "a module that is not there": ("`python -m src.deep.modul x`", ["1 doc-module"]),
    "a shell that says nothing whole": (block("sh", "echo 'a", "npm run no'"), []),
    # Examples
    "examples": ("\n\n".join([block("json", '{"a": 1}'), block("toml", "a = 1"), block("python", "await a()"), block("py", "return")]), []),
    "JSON": (block("json", "{", '  "a": 1,', "}"), ["4 doc-example"]),
    "pipelines that are no list": (block("json", '{"pipelines": 12}'), []),
    "an integer of very many digits": (block("json", "1" * 5_000) + "\n" + block("toml", "a = " + "1" * 5_000), []),
    "TOML that is nested too deeply": (block("toml", "a = " + "[" * 3_000 + "]" * 3_000), ["2 doc-example"]),
    "a link to what no file is called": ("[a](x%00y)", ["1 doc-link"]),
    "JSON, a document a line": (block("json", '{"a": 1}', '{"b": 2}'), []),
    "JSON that leaves something out": (block("json", '{"a": …}'), []),
    "JSON without its braces": (block("json", '"a": {', '  "b": 1', "},") + "\n" + block("json", '"a": {"b": 1,}'), ["7 doc-example"]),
    "JSON with comments has another name": (block("jsonc", "// a") + "\n\n" + block("json5", "// a"), []),
    "TOML": ("text\n\n" + block("toml", "a = 1", "a = 2"), ["5 doc-example"]),
    "Python": (block("python", "x = 1", "def f(:"), ["3 doc-example"]),
    "a session": (block("python", ">>> 1 +", "2"), []),
    "a session of IPython": (block("python", "x = 1", "%timeit f(1)") + "\n" + block("python", "!ls *.py"), []),
    "Python that leaves something out": (
        block("python", "from a import (b, ...)") + "\n" + block("python", "x = [", "    ..."),
        ["5 doc-example"],
    ),
    "Python in an item": ("- a\n\n  " + block("python", "if a:", "    b()").replace("\n", "\n  "), []),
    "with attributes": (block('json title="a"', "{") + "\n" + block("{.python}", "def"), ["2 doc-example", "5 doc-example"]),
    "a block in a block": ("````md\n```json\n{\n```\n````\n[a](no.md)", ["6 doc-link"]),
    "waves for marks": ("~~~json\n{\n~~~", ["2 doc-example"]),
    "a block that does not end": ("text\n\n```json\n{}\n", ["3 doc-fence"]),
    "lines that end as Windows does": ("a\r\n\r\n[b](no.md)\r\n", ["3 doc-link"]),
}


@pytest.fixture(scope="module")
def surrounded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository without git, with everything in it that the situations name."""
    folder = tmp_path_factory.mktemp("päth with spaces")
    make(folder, FILES)
    return folder


@pytest.mark.parametrize("situation", SITUATIONS)
def test_what_is_found_in_each_document(situation: str, surrounded: Path) -> None:
    text, expected = SITUATIONS[situation]
    (surrounded / PAGE).write_bytes(text.encode())
    assert found(guarded(surrounded)) == expected


# What was meant ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("[a](othr.md)", "did you mean 'docs/other.md'?"),
        ("[a](a.py)", "did you mean 'src/a.py'?"),
        ("`src/module.py`", "did you mean 'src/deep/module.py'?"),
        ("[a](other.md#two-wrods)", "did you mean 'two-words'?"),
        ("`npm run biuld`", "did you mean 'build'?"),
        ("`orchestrator-py rum`", "did you mean 'run'?"),
        ("`orchestrator-py run chekcs`", "did you mean 'checks'?"),
    ],
)
def test_what_is_close_is_named(text: str, hint: str, surrounded: Path) -> None:
    (surrounded / PAGE).write_text(text)
    (finding,) = guarded(surrounded).findings
    assert hint in finding.message


def test_in_a_repository_names_that_git_knows_are_meant(tmp_path: Path) -> None:
    repo = repository(tmp_path / "r")
    repo.put(".gitignore", "made/\n").put("made/deep/page.md").put("lib/deep/page.md").put("docs/a.md", "[a](page.md)")
    (finding,) = guarded(repo.path).findings
    assert "'lib/deep/page.md'" in finding.message


# Which documents ---------------------------------------------------------------------------------------------------


def test_documents_lie_in_the_roots_at_any_depth(tmp_path: Path) -> None:
    broken = "[a](no.md)"
    wanted = ["README.md", "AGENTS.md", ".agent/a.md", ".ai-dev-tasks/a.md", "docs/a/b/c.md", "tasks/a.md"]
    others = ["CHANGELOG.md", "src/a.md", "docs/a.txt", "docs/node_modules/a/README.md"]
    make(tmp_path, dict.fromkeys([*wanted, *others], broken))
    assert sorted(str(finding.file) for finding in guarded(tmp_path).findings) == sorted(wanted)


def test_roots_and_ignored_paths_are_settings(tmp_path: Path) -> None:
    make(tmp_path, {"a.md": "[a](made/no.md) `lib/no.py`", "lib/b.md": "[a](no.md)", "lib/old/c.md": "[a](no.md)"})
    settings = GuardSettings(doc_roots=(".",), ignored_paths=("made", "lib/old"))
    assert [(finding.file, finding.rule) for finding in guarded(tmp_path, settings).findings] == [
        ("a.md", "doc-path"),
        ("lib/b.md", "doc-link"),
    ]


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    make(tmp_path, {"README.md": "x", "docs/a.md": ""})
    (tmp_path / "README.md").write_bytes(b"\xff")
    os.mkfifo(tmp_path / "docs" / "pipe.md")
    assert [(finding.file, finding.rule) for finding in guarded(tmp_path).findings] == [
        ("README.md", "doc-unreadable"),
        ("docs/pipe.md", "doc-unreadable"),
    ]


def test_files_that_make_no_sense_name_nothing(tmp_path: Path) -> None:
    make(tmp_path, {"README.md": "`npm run a` `the-progam x`", "package.json": "[", "pyproject.toml": "["})
    assert [finding.rule for finding in guarded(tmp_path).findings] == ["doc-npm-script"]


def test_without_a_configuration_nothing_is_known_of_pipelines(tmp_path: Path) -> None:
    make(tmp_path, {"README.md": "`orchestrator-py run anything`"})
    assert guarded(tmp_path, pipelines=None).findings == []


def test_a_repository_without_documents(tmp_path: Path) -> None:
    assert guarded(tmp_path).scope == "0 documents"


def test_a_history_of_changes_names_files_that_are_gone_and_its_links_lead_somewhere(tmp_path: Path) -> None:
    make(tmp_path, {"src/a.py": "", "docs/CHANGELOG.md": "`src/old.py` [a](no.md)", "docs/changes-of-old.md": "`src/old.py`"})
    assert [(finding.file, finding.rule) for finding in guarded(tmp_path).findings] == [("docs/CHANGELOG.md", "doc-link")]


def test_what_git_ignores_is_made_and_need_not_be_there(tmp_path: Path) -> None:
    repo = repository(tmp_path / "r")
    repo.put(".gitignore", "build/\n").put("docs/a.md", "`src/build/page.html` [a](build/b.md) `src/built/page.html`")
    assert [finding.message for finding in guarded(repo.path).findings] == ["src/built/page.html does not exist"]


def test_a_repository_without_any_makefile_has_no_target(tmp_path: Path) -> None:
    make(tmp_path, {"README.md": "`make build`"})
    assert [finding.rule for finding in guarded(tmp_path).findings] == ["doc-make-target"]
