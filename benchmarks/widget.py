"""The widget on a page: bytes, Lighthouse with and without it, script while an answer streams."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Sequence
from statistics import median
from typing import Any

from playwright.async_api import Browser, Locator, async_playwright

from benchmarks.cpu import CLIENT_CORE, SERVER_CORE
from benchmarks.product import Product, product
from benchmarks.rows import Gate, Run, row
from benchmarks.servers import ROOT
from tests.support.processes import CHROMIUM_NAMES, program

BUILT = ROOT / "chatwidget" / "static" / "chatwidget"
LIGHTHOUSE = ROOT / "node_modules" / ".cache" / "lighthouse"
LIGHTHOUSE_VERSION = "12.8.2"
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu")
RATE = 200
"""Words per second, as a fast model writes them."""
SECTIONS, WORDS = 18, 70
STRUCTURE = "[[say .\n\n### Step\n\n- **Open** the [shade](/help/)\n- turn `left`\n\nThen]]"
ANSWERS = {
    "a streamed answer of 12 KB": f"[[tokens {WORDS}]]{STRUCTURE}" * SECTIONS,
    # The most that a growing answer can cost: the browser breaks all its lines anew each time.
    "the same in one paragraph": "[[tokens 1200]]",
}
SETTLED_SECONDS = 2
"""What opening the chat leaves for later (the browser's first clock) is not the answer's."""
SOONEST_SECONDS, LONGEST_SECONDS = 6, 60
"""When an answer may be finished: 1,200 words at the rate above, and on a very slow machine."""

AUDITS = {
    "LCP, ms": "largest-contentful-paint",
    "TBT, ms": "total-blocking-time",
    "CLS": "cumulative-layout-shift",
}
GATES = {
    "score": Gate("Lighthouse performance score lost with the tag", 1, 0, False),
    "LCP, ms": Gate("Lighthouse LCP added by the tag, ms", 50, 10, False),
    "TBT, ms": Gate("Lighthouse TBT added by the tag, ms", 10, 0, False),
    "CLS": Gate("Lighthouse CLS added by the tag", 0.005, 0, False),
}


@row("widget", "The widget's weight on a page")
async def widget(run: Run) -> None:
    """Sizes first, then the page, then a long answer."""
    launcher, panel = (_zipped(name) for name in ("widget.js", "panel.js"))
    run.value(Gate("launcher, bytes after gzip -9", 2560, 2048, False), launcher)
    run.value(Gate("whole, bytes after gzip -9", 15_360, 12_288, False), launcher + panel)
    with product() as tagged, product() as bare, _both_cores():
        bare.site.manage("shell", "-c", _WITHOUT_WIDGET)
        await _pages(run, tagged, bare)
        await _streaming(run, tagged)


_WITHOUT_WIDGET = (
    "from chatwidget.models import Widget; assert Widget.objects.update(enabled=False)"
)


def _zipped(name: str) -> int:
    return len(gzip.compress((BUILT / name).read_bytes(), 9))


@contextlib.contextmanager
def _both_cores() -> Any:
    """A browser is several processes: one core for all of them would measure their queue."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {SERVER_CORE, CLIENT_CORE})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


async def _pages(run: Run, tagged: Product, bare: Product) -> None:
    """The shop's first page by Lighthouse, with and without in turn; medians decide."""
    seen: dict[str, list[dict[str, float]]] = {"with": [], "without": []}
    for _ in range(run.rounds):
        for name, site in (("with", tagged), ("without", bare)):
            seen[name].append(await asyncio.to_thread(_audited, f"{site.url}/"))
    middle = {name: _medians(reports) for name, reports in seen.items()}
    for name, figures in middle.items():
        told = ", ".join(f"{what} {value:.4g}" for what, value in figures.items())
        run.note(f"Lighthouse {LIGHTHOUSE_VERSION} {name} the tag, median", told)
    for what, gate in GATES.items():
        added = middle["with"][what] - middle["without"][what]
        # Rounded as Lighthouse shows it: 0.3 ms of a simulated network are nobody's.
        run.value(gate, round(max(0.0, -added if what == "score" else added), 3))


def _medians(reports: Sequence[dict[str, float]]) -> dict[str, float]:
    return {what: median(report[what] for report in reports) for what in reports[0]}


def _audited(url: str) -> dict[str, float]:
    """One run with Lighthouse's own settings: a phone on a simulated slow line."""
    done = subprocess.run(
        [
            *(_lighthouse(), url, "--quiet", "--output=json", "--only-categories=performance"),
            f"--chrome-flags={' '.join(FLAGS)}",
        ],
        env={**os.environ, "CHROME_PATH": program(*CHROMIUM_NAMES)},
        capture_output=True,
        check=True,
        timeout=120,
    )
    report = json.loads(done.stdout)
    figures = {what: report["audits"][key]["numericValue"] for what, key in AUDITS.items()}
    return {"score": round(report["categories"]["performance"]["score"] * 100), **figures}


def _lighthouse() -> str:
    """Its command; installed on first use, beside the tools and not among them."""
    command = LIGHTHOUSE / "node_modules" / ".bin" / "lighthouse"
    if not command.exists():
        npm = shutil.which("npm")
        if npm is None:
            raise RuntimeError("Lighthouse needs Node.js with npm")
        LIGHTHOUSE.mkdir(parents=True, exist_ok=True)
        wanted = f"lighthouse@{LIGHTHOUSE_VERSION}"
        subprocess.run(
            [npm, "install", "--no-save", "--prefix", str(LIGHTHOUSE), wanted],
            check=True,
            capture_output=True,
        )
    return str(command)


async def _streaming(run: Run, site: Product) -> None:
    """What the browser's main thread does while 12 KB arrive, a fresh profile each time."""
    async with _chromium() as browser:
        for number, (what, question) in enumerate(ANSWERS.items()):
            rounds = [await _answered(browser, site.url, question) for _ in range(run.rounds)]
            if number == 0:
                gate = Gate(f"script during {what}, ms", 50, 20, False)
                run.value(gate, [figures["ScriptDuration"] for figures in rounds])
            names = ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration", "TaskDuration")
            spent = ", ".join(f"{name} {median(f[name] for f in rounds):.0f}" for name in names)
            run.note(f"{what}, {rounds[0]['length']:.0f} characters, ms", spent)


@contextlib.asynccontextmanager
async def _chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program(*CHROMIUM_NAMES), args=list(FLAGS)
        )
        yield browser
        await browser.close()


async def _answered(browser: Browser, url: str, question: str) -> dict[str, float]:
    page = await browser.new_page()
    devtools = await page.context.new_cdp_session(page)
    # CPU time of the main thread, so that neighbours on the machine do not count.
    await devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
    chat = page.locator("frontdesk-chat")
    await page.goto(f"{url}/")
    await chat.locator(".launcher").click()
    await chat.locator(".pills").wait_for()

    async def spent() -> dict[str, float]:
        told = await devtools.send("Performance.getMetrics")
        return {metric["name"]: metric["value"] for metric in told["metrics"]}

    await chat.locator("form textarea").fill(f"[[rate {RATE}]]{question}")
    await asyncio.sleep(SETTLED_SECONDS)
    before = await spent()
    await chat.locator("form textarea").press("Enter")
    said = await _finished(chat)
    after = await spent()
    await page.close()
    figures = {
        name: 1000 * (after[name] - before[name]) for name in after if name.endswith("Duration")
    }
    return {**figures, "length": len(said)}


async def _finished(chat: Locator) -> str:
    """The text of the answer once it stands; asking while it grows would be measured too."""
    await asyncio.sleep(SOONEST_SECONDS)
    for _ in range(LONGEST_SECONDS):
        await asyncio.sleep(1)
        if await chat.locator(".row.me ~ .row .meta").count():
            said = await chat.locator(".row.me ~ .row .bubble").text_content()
            return said or ""
    raise RuntimeError(f"no answer after {LONGEST_SECONDS} s")
