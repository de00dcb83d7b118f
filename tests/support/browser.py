"""A real Chromium, driven by Playwright, and axe in its pages.

The fixtures end with each module: Playwright's synchronous interface keeps an event loop running
in this thread, which tests that are coroutines could not live with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Playwright,
    expect,
    sync_playwright,
)

from tests.support.processes import CHROMIUM_NAMES, missing, program

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


# A machine that others use too may be several times slower; what comes at once costs nothing.
expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    chromium = playwright.chromium.launch(executable_path=program(*CHROMIUM_NAMES), args=FLAGS)
    yield chromium
    chromium.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh profile."""
    profile = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 800})
    yield profile
    profile.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What the console and the page complain about: errors, policy violations."""
    heard: list[str] = []
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("console", lambda line: heard.append(line.text) if line.type in {"error"} else None)
    return heard


@pytest.fixture
def axe(page: Page) -> Callable[[], list[dict[str, Any]]]:
    """The accessibility violations of the page as it is now, shadow roots included."""
    if not AXE.exists():
        missing("axe-core (npm ci)")

    def violations() -> list[dict[str, Any]]:
        page.evaluate(AXE.read_text() + ";1")
        result = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
        return [
            {
                "rule": violation["id"],
                "impact": violation["impact"],
                "where": [node["target"] for node in violation["nodes"]],
            }
            for violation in result["violations"]
        ]

    return violations
