"""A Markdown text taken apart: whatever it is, and as GitHub names its headings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.guards.anchors import slugs
from orchestrator_py.guards.examples import example_problem
from orchestrator_py.guards.markdown import scan
from orchestrator_py.guards.shell_lines import commands

PIECES = st.sampled_from(
    [
        *"`~#->|[]()<!=\\ \n\tab1.",
        "```",
        "~~~",
        "```json\n",
        "- ",
        "> ",
        "---\n",
        "\n\n",
        "](",
        "<!--",
        "-->",
        "<!-- guard-docs: off -->\n",
        "    ",
    ]
)


@given(st.lists(PIECES, max_size=60).map("".join) | st.text())
def test_any_text_can_be_taken_apart_and_every_line_is_one_of_it(text: str) -> None:
    document = scan("a.md", text)
    lines = text.replace("\r\n", "\n").count("\n") + 1
    places = [*(named.line for named in (*document.spans, *document.links)), *(fence.line - 1 for fence in document.fences)]
    assert all(1 <= line <= lines for line in places)
    for fence in document.fences:
        problem = example_problem(fence)
        assert problem is None or fence.line <= problem[0] <= fence.line + fence.text.count("\n") + 1


@given(st.lists(PIECES | st.sampled_from(["&&", "|", "'", '"', "A=1 ", "$ "]), max_size=30).map("".join))
def test_any_line_has_commands_or_none(line: str) -> None:
    assert all(command and all(isinstance(word, str) for word in command) for command in commands(line))


@given(st.lists(st.text(alphabet="ab c`_*", max_size=6), max_size=8))
def test_a_page_of_headings_has_an_anchor_for_each_of_them(headings: list[str]) -> None:
    made = list(slugs(headings))
    assert len(made) == len(headings)
    assert len(scan("a.md", "".join(f"# {heading.strip()}\n\n" for heading in headings)).anchors) <= len(made)


@pytest.mark.parametrize(
    ("heading", "slug"),
    [
        ("The time of a run", "the-time-of-a-run"),
        ("`--only` and `--skip`", "--only-and---skip"),
        ("What's new? (v1.2)", "whats-new-v12"),
        ("Größe & Maß", "größe--maß"),
        ("_All_ of snake_case", "all-of-snake_case"),
        ("A [link](there.md)", "a-link"),
        ("![image](a.png)", "image"),
        ("`net.connect(port[, host][, listener])`", "netconnectport-host-listener"),
        ("[`code`](there.md) and <b>bold</b> of <a.b>", "code-and-bold-of-ab"),
    ],
)
def test_headings_are_named_as_github_names_them(heading: str, slug: str) -> None:
    assert list(slugs([heading])) == [slug]


def test_headings_that_are_called_alike_get_numbers() -> None:
    assert list(slugs(["A", "A", "a", "B"])) == ["a", "a-1", "a-2", "b"]


@pytest.mark.parametrize(
    "text", ["`" * 40_000, "[" * 40_000, "](" * 20_000, "# " + " " * 40_000 + "x", "<a " * 3_000, "| " * 20_000, "> " * 20_000]
)
def test_a_text_that_was_made_to_take_long_does_not(text: str) -> None:
    assert scan("a.md", text).links == ()


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("a b && c | d; e", [("a", "b"), ("c",), ("d",), ("e",)]),
        ("A=1 B='2 3' a", [("a",)]),
        ("a 'b c' # d", [("a", "b c")]),
        ("(cd a && b)", [("cd", "a"), ("b",)]),
        ("a 'b", []),
        ("", []),
    ],
)
def test_a_line_is_taken_apart_as_a_shell_does(line: str, found: list[tuple[str, ...]]) -> None:
    assert commands(line) == found
