"""The page as a file: closed to the outside, small, bounded, and made for every reader."""

import re
from base64 import b64encode
from hashlib import sha256
from itertools import pairwise

import pytest

from orchestrator_py.pages.assets import asset
from orchestrator_py.pages.document import report_document
from tests.pages.overviews import NOW, document
from tests.pages.parsed import Parsed

LARGEST = 100_000
RUN_ID = "2025-12-21T14-02-47-637Z-0123abcd"


def test_only_our_scripts_and_styles_may_run_and_nothing_is_fetched() -> None:
    parsed = Parsed(document("x"))
    (policy,) = [
        dict(attributes)["content"] or "" for tag, attributes in parsed.tags if ("http-equiv", "Content-Security-Policy") in attributes
    ]
    assert policy.startswith("default-src 'none'; ")
    assert not re.search(r"unsafe|https?:|\*|data:", policy)
    inline = [(tag, text) for tag, attributes, text in parsed.contents if ("type", "application/json") not in attributes]
    assert [tag for tag, _ in inline] == ["style", "style", "script", "script", "script"]
    hashes = [f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for _, text in inline]
    assert re.findall(r"'sha256-[^']+'", policy) == hashes
    names = {name for _, found in parsed.shape for name in found}
    assert not any(name.startswith("on") or name in ("style", "src", "srcset", "action") for name in names)
    assert all(value.startswith("#") for value in parsed.values("href"))


def test_headings_go_down_one_level_at_a_time_and_ids_are_there_once() -> None:
    parsed = Parsed(document("x"))
    levels = [int(tag[1]) for tag, _ in parsed.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = parsed.values("id")
    assert len(ids) == len(set(ids))
    assert set(parsed.values("aria-labelledby")) | {value[1:] for value in parsed.values("href")} <= set(ids)


def test_every_table_has_a_caption_every_head_a_scope_and_every_picture_words() -> None:
    parsed = Parsed(document("x"))
    tags = [tag for tag, _ in parsed.tags]
    assert tags.count("table") == tags.count("caption") > 5
    assert all("scope" in dict(attributes) for tag, attributes in parsed.tags if tag == "th")
    assert all(
        dict(attributes).get("aria-label")
        for _, attributes in parsed.tags
        if dict(attributes).get("role") in ("region", "img") and _ != "svg"
    )
    pictures = [dict(attributes) for tag, attributes in parsed.tags if tag == "svg"]
    assert sum("role" in attributes for attributes in pictures) == tags.count("title") - 1
    assert all(attributes.get("role") == "img" or attributes.get("aria-hidden") == "true" for attributes in pictures)
    assert ("html", [("lang", "en")]) in parsed.tags


def test_what_is_left_out_of_ten_thousand_runs_is_said() -> None:
    words = ["succeeded", "failed", "timed_out", "cancelled"] * 2500
    parsed = Parsed(document(RUN_ID, words))
    texts = " ".join(parsed.texts)
    assert "50 runs, newest first; 9,950 older runs left out here, counted above" in texts
    assert "10,000 runs: succeeded 2,500, failed 2,500, timed out 2,500, cancelled 2,500." in texts
    assert "the newest 300" in texts
    assert len(parsed.tags) < 4000


def test_an_empty_history_is_said() -> None:
    assert "There are no tasks on record here yet." in Parsed(report_document([], now=NOW)).texts
    assert "No runs have ended yet." in Parsed(document("x", ())).texts


def test_the_library_is_there_with_version_and_licence() -> None:
    version = re.search(r"\(v([0-9.]+)\)", asset("vendor/uPlot.iife.min.js")[:100])
    assert version is not None
    assert f"uPlot {version[1]}," in asset("vendor/README.md")
    assert "MIT License" in asset("vendor/uPlot.LICENSE")


# Contrast -----------------------------------------------------------------------------------------------------------


def colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", block))


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_colour_of_text_can_be_read_on_page_and_card(scheme: str) -> None:
    """WCAG 2 AA: 4.5 to 1 for text."""
    light, dark = asset("static/page.css").split("@media (prefers-color-scheme: dark)")
    found = colours(light if scheme == "light" else dark)
    assert found.keys() == colours(light).keys()
    for name in found.keys() - {"page", "card", "line"}:
        for ground in ("page", "card"):
            assert contrast(found[name], found[ground]) >= 4.5, (name, ground)
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
