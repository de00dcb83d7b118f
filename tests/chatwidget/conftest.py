"""Rows that most tests of the widget need, and limits that start empty."""

from __future__ import annotations

import pytest

from chatwidget.limits import limiter
from chatwidget.testing import make_widget


@pytest.fixture(autouse=True)
def _fresh_limits():
    limiter._hits.clear()


@pytest.fixture
def widget(db):
    """A widget without bot, so that nothing but the visitor speaks."""
    return make_widget(
        "shop",
        name="Shop",
        greeting="Hello!",
        starters=["Where is my parcel?"],
        allowed_origins="https://shop.example",
    )
