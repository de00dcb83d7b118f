"""The planted bugs of `./dev proof planted` still fit the sources, and their tests still exist."""

from __future__ import annotations

import pytest

from tests.proof.planted import PLANTED, Planted
from tests.support.sites import ROOT


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.name)
def test_a_planted_bug_still_finds_its_place_and_its_test(bug: Planted):
    source = (ROOT / bug.path).read_text(encoding="utf-8")
    assert source.count(bug.found) == 1
    path, _, name = bug.test.partition("::")
    assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8") or path.endswith(".ts")


def test_there_are_twelve():
    assert len({bug.name for bug in PLANTED}) == 12
