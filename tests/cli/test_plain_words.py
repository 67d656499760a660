"""Words that are read without argparse say what they say to argparse."""

from collections.abc import Sequence
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.cli.arguments import create_parser
from orchestrator_py.cli.commands import COMMANDS, declaration_of
from orchestrator_py.cli.parser import UsageError
from orchestrator_py.cli.plain_words import Declarations, read_plainly

ODD = ["", "-", "--", "-1", "a b", "--nonsense", "--x=1", "-q", "-vv", "--help", "-h", "-j4", "x=y", "--only", "--github", "--no-github"]
VALUES = ["1", "0", "4.5", "text", "json", "jsonl", "continue", "checks", "7d", "always", ".", "=", "nan", "both"]
PLAIN = sorted(set(COMMANDS) - {"metrics", "guard"})


def spellings_of(name: str) -> list[str]:
    declared = Declarations()
    declaration_of(name)(declared)  # type: ignore[arg-type]  # it stands for a parser
    return [spelling for word in declared.words if not word.is_place for spelling in word.spellings]


def words(name: str) -> st.SearchStrategy[list[str]]:
    spelling, value = st.sampled_from([*spellings_of(name), "--help"]), st.sampled_from(VALUES)
    pair = st.tuples(spelling, value).map(list)
    joined = st.tuples(spelling, value).map(lambda both: ["=".join(both)])
    single = st.sampled_from([*ODD, *VALUES]).map(lambda one: [one])
    return st.lists(st.one_of(pair, pair, joined, spelling.map(lambda one: [one]), single), max_size=4).map(lambda parts: [*chain(*parts)])


def read_by_argparse(name: str, texts: Sequence[str]) -> object:
    """What it makes of them; how it refuses them."""
    try:
        return vars(create_parser([name, *texts]).parse_args([name, *texts]))
    except (SystemExit, UsageError) as error:
        return type(error)


@pytest.mark.parametrize("name", PLAIN)
@given(data=st.data())
def test_what_is_read_plainly_is_what_argparse_reads(name: str, data: st.DataObject) -> None:
    texts = data.draw(words(name))
    plain = read_plainly(declaration_of(name), texts)
    if plain is not None:
        assert {"command": name, **vars(plain)} == read_by_argparse(name, texts)


@pytest.mark.parametrize(
    "line",
    [
        "run",
        "run checks -j 4 --format json --root .",
        "run --jobs=4 checks --on-failure continue -q -q --strict",
        "run --scheduler tcp://host:8786 --timeout 5",
        "resume --run 2026 --format=jsonl",
        "plan checks --target build",
        "status --run latest --watch",
        "runs --last 7d",
        "report --format json --last 5 --root .",
        "logs build --stream stderr",
        "validate --format json",
        "schema",
    ],
)
def test_usual_words_are_read_plainly(line: str) -> None:
    name, *texts = line.split()
    assert read_plainly(declaration_of(name), texts) is not None


@pytest.mark.parametrize(
    "line",
    [
        *("run --help", "run -j4", "run --jobs 0", "run --only a b", "run --github", "run -- checks", "run a b"),
        *("run --scheduler a --scheduler-file b", "run --task", "run --task --root", "run --strict=yes", "run --format xml"),
        *("resume", "report --last 0", "metrics show", "guard all", "completion", "completion fish"),
    ],
)
def test_other_words_are_left_to_argparse(line: str) -> None:
    name, *texts = line.split()
    assert read_plainly(declaration_of(name), texts) is None
