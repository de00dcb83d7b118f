"""The built files of the widget: small, quiet, and in step with what they were built from."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from django.utils import translation

from chatwidget.widget_strings import WIDGET_STRINGS

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "chatwidget" / "static" / "chatwidget"
SOURCES = ROOT / "frontend"
FILES = ["widget.js", "panel.js"]
KILOBYTE = 1024


def size(name: str) -> int:
    return len(gzip.compress((BUILT / name).read_bytes(), 9))


def test_launcher_and_panel_keep_within_their_budgets():
    assert size("widget.js") <= 2.5 * KILOBYTE
    assert size("widget.js") + size("panel.js") <= 17.25 * KILOBYTE


@pytest.mark.parametrize("name", FILES)
def test_a_built_file_says_that_it_is_one(name):
    assert (BUILT / name).read_text().startswith("/* Generated; do not edit. */")


@pytest.mark.parametrize("name", FILES)
def test_a_built_file_makes_no_markup_no_code_and_no_foreign_request(name):
    text = (BUILT / name).read_text()
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function"
    assert not re.search(forbidden, text)
    addresses = set(re.findall(r"https?://[\w.]+", text))
    assert addresses <= {"http://www.w3.org"}


def test_every_text_the_widget_asks_for_exists_and_none_is_spare():
    code = "".join(path.read_text() for path in SOURCES.glob("widget/*.ts"))
    asked = set(re.findall(r"""\bt\(\s*[^")]*?"(\w+)\"""", code))
    asked |= {word for word in WIDGET_STRINGS if f'"{word}"' in code}
    rated = {key for key in WIDGET_STRINGS if key.startswith("rate_")}
    marks = {"sending", "waiting", "sent", "read", "not_sent"}
    assert set(WIDGET_STRINGS) - asked - rated - marks == set()
    assert asked <= set(WIDGET_STRINGS)


def test_german_knows_every_text_and_keeps_its_holes():
    same_in_both = {"Bot"}
    for key, text in WIDGET_STRINGS.items():
        with translation.override("en"):
            english = str(text)
        with translation.override("de"):
            german = str(text)
        assert german != english or english in same_in_both, key
        assert re.findall(r"\{\w+\}", german) == re.findall(r"\{\w+\}", english), key
