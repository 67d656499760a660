"""JSON text: what JavaScript would print and read."""

import json
import math
import random
import shutil
import struct
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_py.core.json_text import compact_json, encode_json, parse_json, pretty_json

# Printing numbers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-5.0, "-5"),
        (12.363, "12.363"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e-6, "0.000001"),
        (-1.5e-5, "-0.000015"),
        (1e-7, "1e-7"),
        (-1.25e-7, "-1.25e-7"),
        (1e16, "10000000000000000"),
        (123456789012345680000, "123456789012345680000"),
        (-123456789012345680000.0, "-123456789012345680000"),
        (999999999999999900000.0, "999999999999999900000"),
        (1e21, "1e+21"),
        (10**21, "1e+21"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (5e-324, "5e-324"),
        (2**53, "9007199254740992"),
        (2**53 + 1, "9007199254740992"),
        (-(2**53) - 1, "-9007199254740992"),
        (True, "true"),
        (False, "false"),
    ],
)
def test_a_number_prints_as_a_javascript_double(number: float, text: str) -> None:
    assert compact_json(number) == text
    assert pretty_json([number]) == f"[\n  {text}\n]"


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, 10**400])
def test_a_number_that_json_cannot_hold_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="number"):
        compact_json({"deep": [number]})
    with pytest.raises(ValueError, match="number"):
        pretty_json({"deep": [number]})


# Printing strings and trees ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("characters", "text"),
    [
        ('"\\/', r'"\"\\/"'),
        ("\b\t\n\f\r", r'"\b\t\n\f\r"'),
        ("\x00\x0b\x1f", r'"\u0000\u000b\u001f"'),
        ("\x7f\x85\u2028\u2029é😀", '"\x7f\x85\u2028\u2029é😀"'),
        ("\ud83d", r'"\ud83d"'),
        ("a\ude00b", r'"a\ude00b"'),
        ("\ud83d\ude00", '"😀"'),
        ("\ude00\ud83d", r'"\ude00\ud83d"'),
    ],
)
def test_a_string_gets_only_the_escapes_of_javascript(characters: str, text: str) -> None:
    assert compact_json(characters) == text
    assert compact_json({characters: 1}) == "{" + text + ":1}"


def test_compact_json_has_no_blanks() -> None:
    assert compact_json({"a": [1, "x", None], "b": {}, "c": [], "d": (True,)}) == '{"a":[1,"x",null],"b":{},"c":[],"d":[true]}'


def test_pretty_json_indents_by_two_and_leaves_empty_things_closed() -> None:
    assert pretty_json({"a": [], "b": {}, "c": [{"d": 1}, [2, 3]]}) == "\n".join(
        [
            "{",
            '  "a": [],',
            '  "b": {},',
            '  "c": [',
            "    {",
            '      "d": 1',
            "    },",
            "    [",
            "      2,",
            "      3",
            "    ]",
            "  ]",
            "}",
        ]
    )


@pytest.mark.parametrize("value", [{1, 2}, b"bytes", object(), {1: "number as key"}])
def test_what_json_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        compact_json({"value": value})


def test_data_that_holds_itself_is_refused() -> None:
    circle: list[object] = []
    circle.append(circle)
    with pytest.raises(ValueError, match="holds itself"):
        compact_json(circle)


def test_text_is_encoded_as_utf_8() -> None:
    assert encode_json('"é😀"') == b'"\xc3\xa9\xf0\x9f\x98\x80"'


# Reading -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        *("NaN", "[Infinity]", '{"a":-Infinity}', "1e400", "-1e400", "1" * 400, "1" * 5000),
        *("", "{", "[1,]", "{'a':1}", '"a\nb"', "01", "1 2", "\ufeff1", '"\\u12"'),
        *(b'"\xff"', b'"\xed\xa0\xbd"'),
    ],
)
def test_text_that_is_not_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_json(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("9007199254740992", 2**53),
        ("9007199254740993", 2.0**53),
        ("-9007199254740993", -(2.0**53)),
        ("123456789012345678901", 123456789012345680000.0),
        ("1.0", 1),
        ("1E3", 1000),
        (b'{"a":1,"b":2,"a":3}', {"a": 3, "b": 2}),
        (r'"\ud83d\ude00"', "😀"),
        (r'"\ud83d"', "\ud83d"),
        (" \t\r\n[ ]\n", []),
    ],
)
def test_json_reads_as_javascript_reads_it(text: str | bytes, value: object) -> None:
    assert parse_json(text) == value


def test_minus_zero_stays_printable_as_zero() -> None:
    assert compact_json(parse_json("[-0,-0.0,-0e5]")) == "[0,0,0]"


def test_a_large_integer_becomes_a_float() -> None:
    assert isinstance(parse_json("9007199254740994"), float)


def test_nesting_is_read_up_to_256_levels_and_refused_beyond() -> None:
    assert parse_json("[" * 256 + "]" * 256) is not None
    with pytest.raises(ValueError, match="nested deeper than 256 levels"):
        parse_json("[" * 257 + "]" * 257)
    with pytest.raises(ValueError, match="nested deeper"):
        parse_json('{"a":' * 100_000)


def test_brackets_that_do_not_nest_are_not_counted_as_depth() -> None:
    assert parse_json("[" + ",".join(["[]"] * 1000) + "]") == [[]] * 1000
    assert parse_json(json.dumps("[{" * 1000)) == "[{" * 1000
    assert parse_json(json.dumps('\\"[' * 1000)) == '\\"[' * 1000


def test_a_string_without_end_is_refused_in_linear_time() -> None:
    with pytest.raises(ValueError, match="Unterminated"):
        parse_json('"' + '\\"[' * 200_000)


# Laws --------------------------------------------------------------------------------------------------------------

_any_text = st.text(st.characters(exclude_categories=()))
_doubles = st.floats(allow_nan=False, allow_infinity=False)
_scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | _doubles | st.text()
_trees = st.recursive(_scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(_trees)
def test_reading_gives_back_what_was_printed(tree: object) -> None:
    assert parse_json(compact_json(tree)) == tree
    assert parse_json(encode_json(pretty_json(tree))) == tree


@given(_any_text)
def test_any_string_prints_as_text_that_utf_8_can_hold_and_that_prints_the_same_again(characters: str) -> None:
    text = compact_json(characters)
    assert compact_json(parse_json(encode_json(text))) == text


@given(st.text() | st.integers(-(2**53), 2**53) | st.lists(st.text()))
def test_without_floats_the_text_is_the_one_of_the_standard_library(value: object) -> None:
    assert compact_json(value) == json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert pretty_json(value) == json.dumps(value, ensure_ascii=False, indent=2)


# The real thing ----------------------------------------------------------------------------------------------------

_PRINT_EACH_LINE = """
const lines = require("fs").readFileSync(0, "latin1").trim().split("\\n");
const view = new DataView(new ArrayBuffer(8));
const value = ([kind, ...hex]) => {
  hex = hex.join("");
  if (kind === "s") return String.fromCharCode(...(hex.match(/..../g) ?? []).map((unit) => parseInt(unit, 16)));
  view.setBigUint64(0, BigInt("0x" + hex));
  return view.getFloat64(0);
};
process.stdout.write(lines.map((line) => JSON.stringify(value(line))).join("\\n"));
"""


def _random_doubles(chance: random.Random, count: int) -> list[float]:
    bits = (struct.unpack(">d", chance.randbytes(8))[0] for _ in range(count))
    decimals = (chance.randrange(10**6) * 10.0 ** chance.randrange(-12, 24) for _ in range(count))
    integers = (float(chance.randrange(-(2**70), 2**70) >> chance.randrange(70)) for _ in range(count))
    return [number for number in (*bits, *decimals, *integers) if math.isfinite(number)]


def _random_strings(chance: random.Random, count: int) -> list[str]:
    ranges = [(0, 0x80), (0x80, 0x100), (0x2000, 0x2030), (0xD7F0, 0xE010), (0x1F600, 0x1F640)]
    return ["".join(chr(chance.randrange(*chance.choice(ranges))) for _ in range(chance.randrange(12))) for _ in range(count)]


def test_numbers_and_strings_print_as_node_prints_them() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not on PATH: the comparison with a real JavaScript engine did not run")
    chance = random.Random(20251221)
    numbers, strings = _random_doubles(chance, 2000), _random_strings(chance, 2000)
    lines = ["n" + struct.pack(">d", number).hex() for number in numbers]
    lines += ["s" + characters.encode("utf-16-be", "surrogatepass").hex() for characters in strings]
    printed = subprocess.run([node, "-e", _PRINT_EACH_LINE], input="\n".join(lines).encode(), capture_output=True, check=True).stdout
    assert [compact_json(value) for value in (*numbers, *strings)] == printed.decode().split("\n")
