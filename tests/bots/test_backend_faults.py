"""Every way a provider can fail, over real HTTP, on both wires: none may look like an answer."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable

import pytest

from bots.backends.base import Ask
from bots.backends.refusals import without_secrets
from bots.testing import collect

ASK = Ask(question="May I return it?", model="test-model")

FAULTS = {
    # script: (code, retryable)
    "rate_limited": ("backend_rate_limited", True),
    "rate_limited_zero": ("backend_rate_limited", True),
    "rate_limited_ms": ("backend_rate_limited", True),
    "rate_limited_huge": ("backend_rate_limited", True),
    "rate_limited_garbage": ("backend_rate_limited", True),
    "rate_limited_negative": ("backend_rate_limited", True),
    "rate_limited_bare": ("backend_rate_limited", True),
    "rate_limited_date": ("backend_rate_limited", True),
    "quota": ("backend_quota", False),
    "server_error": ("backend_unavailable", True),
    "bad_gateway": ("backend_unavailable", True),
    "unavailable": ("backend_unavailable", True),
    "overloaded": ("backend_unavailable", True),
    "error_without_json": ("backend_unavailable", True),
    "broken_error": ("backend_unavailable", True),
    "endless_error": ("backend_unavailable", True),
    "unauthorized": ("backend_unauthorized", False),
    "forbidden": ("backend_unauthorized", False),
    "model_missing": ("backend_model_unknown", False),
    "error_as_text": ("backend_model_unknown", False),
    "bad_request": ("backend_bad_request", False),
    "too_long_code": ("context_too_long", True),
    "too_long_words": ("context_too_long", True),
    "too_large": ("context_too_long", True),
    "filtered_request": ("answer_filtered", False),
    "redirect": ("backend_misconfigured", False),
    "clean_cut": ("answer_cut", True),
    "cut_in_event": ("answer_cut", True),
    "only_done": ("answer_cut", True),
    "empty_body": ("answer_cut", True),
    "html_as_stream": ("answer_cut", True),
    "unknown_finish": ("answer_cut", True),
    "reset": ("answer_cut", True),
    "html_page": ("answer_unreadable", True),
    "wrong_type": ("answer_unreadable", True),
    "unasked_json": ("answer_unreadable", True),
    "bad_json": ("answer_unreadable", True),
    "wrong_json": ("answer_unreadable", True),
    "deep_json": ("answer_unreadable", True),
    "gzip_garbage": ("answer_unreadable", True),
    "reset_before": ("backend_unreachable", True),
    "hang_up": ("backend_unreachable", True),
    "bad_http": ("backend_unreachable", True),
    "error_event": ("backend_unavailable", True),
    "error_event_limit": ("backend_rate_limited", True),
    "failed": ("backend_unavailable", True),
    "failed_as_completed": ("backend_unavailable", True),
    "silent": ("backend_timeout", True),
    "silent_stream": ("backend_timeout", True),
    "comments_only": ("backend_timeout", True),
    "comment_flood": ("backend_timeout", True),
    "stall": ("backend_timeout", True),
    "drip": ("backend_timeout", True),
    "slow_words": ("backend_timeout", True),
    "endless": ("answer_too_long", False),
    "endless_line": ("answer_too_long", False),
    "huge_delta": ("answer_too_long", False),
    "tool_flood": ("answer_unreadable", False),
    "nothing": ("answer_empty", True),
    "blank": ("answer_empty", True),
    "only_reasoning": ("answer_empty", True),
    "only_reasoning_cut": ("answer_empty", False),
    "refusal": ("answer_refused", False),
    "refusal_unstreamed": ("answer_refused", False),
    "filtered": ("answer_filtered", False),
}


SILENT = {
    "silent",
    "silent_stream",
    "comments_only",
    "comment_flood",
    "stall",
    "drip",
    "slow_words",
}
"""Only these are waited for, so that a busy machine cannot fail the others."""


@pytest.fixture
def impatient(settings):
    """Deadlines that a test can wait for."""
    settings.BOTS_FIRST_TOKEN_SECONDS, settings.BOTS_TOTAL_SECONDS = 1.5, 3
    settings.BOTS_IDLE_SECONDS = 1


async def until(happened: Callable[[], bool]) -> None:
    """Wait for something in the server's thread."""
    async with asyncio.timeout(10):
        while not happened():
            await asyncio.sleep(0.01)


def assert_failed(got, script):
    assert got.finished is None
    assert got.error is not None
    assert (got.error.code, got.error.retryable) == FAULTS[script]


@pytest.mark.parametrize("script", sorted(FAULTS.keys() - SILENT))
async def test_fault_ends_as_a_failed_attempt(provider, model_server, script):
    model_server.script(script)
    assert_failed(await collect(provider, ASK), script)
    assert len(model_server.requests) == 1, "retries belong to the turn"
    got = await collect(provider, ASK)
    assert (got.error, got.text) == (None, model_server.text), "it works again afterwards"


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("script", sorted(SILENT))
async def test_silence_is_given_up_in_time(provider, model_server, settings, script):
    model_server.script(script)
    started = time.monotonic()
    assert_failed(await collect(provider, ASK), script)
    assert 0.9 < time.monotonic() - started < 10
    assert len(model_server.requests) == 1
    settings.BOTS_FIRST_TOKEN_SECONDS = settings.BOTS_TOTAL_SECONDS = 30
    assert (await collect(provider, ASK)).text == model_server.text


async def test_limits_of_time_are_the_settings_own(provider, model_server, settings):
    settings.BOTS_IDLE_SECONDS, settings.BOTS_TOTAL_SECONDS = 30, 1
    model_server.script("stall", "silent_stream")
    started = time.monotonic()
    assert (await collect(provider, ASK)).error.code == "backend_timeout"
    settings.BOTS_TOTAL_SECONDS, settings.BOTS_FIRST_TOKEN_SECONDS = 30, 1
    assert (await collect(provider, ASK)).error.code == "backend_timeout"
    assert time.monotonic() - started < 15


@pytest.mark.parametrize(
    ("script", "seconds"),
    [
        ("rate_limited", 2),
        ("rate_limited_zero", 0),
        ("rate_limited_ms", 0.25),
        ("rate_limited_huge", 3600),
        ("rate_limited_garbage", None),
        ("rate_limited_negative", None),
        ("rate_limited_bare", None),
        ("unavailable", 3),
        ("server_error", None),
    ],
)
async def test_retry_after_is_read_and_bounded(provider, model_server, script, seconds):
    model_server.script(script)
    assert (await collect(provider, ASK)).error.retry_after == seconds


async def test_retry_after_may_be_a_date(provider, model_server):
    model_server.script("rate_limited_date")
    assert 25 < (await collect(provider, ASK)).error.retry_after <= 30


@pytest.mark.parametrize("script", ["too_long_code", "too_long_words", "too_large"])
async def test_too_long_context_asks_for_a_shorter_question(provider, model_server, script):
    model_server.script(script)
    assert (await collect(provider, ASK)).error.shorten is True


async def test_key_stands_in_no_error_text(provider, model_server):
    model_server.script("unauthorized")
    error = (await collect(provider, ASK)).error
    assert "sk-test" not in f"{error!r} {error} {error.details} {error.message}"


@pytest.mark.parametrize(
    "words",
    [
        "key sk-proj-abc_DEF*** is wrong",
        "Bearer eyJhbGciOi.x",
        "own: hunter2-of-a-proxy",
        "x" * 999,
    ],
)
def test_nothing_like_a_key_gets_into_the_log(words):
    kept = without_secrets(words, "hunter2-of-a-proxy")
    assert not any(part in kept for part in ("abc_DEF", "eyJ", "hunter2"))
    assert len(kept) <= 300


async def test_words_for_people_hold_no_details(provider, model_server):
    model_server.script("server_error")
    error = (await collect(provider, ASK)).error
    assert "500" in error.details
    assert "500" not in error.message


async def test_refused_connection_is_unreachable(provider, settings):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    settings.BOTS_BASE_URL = f"http://127.0.0.1:{port}/v1"
    error = (await collect(provider, ASK)).error
    assert (error.code, error.retryable) == ("backend_unreachable", True)


async def test_unknown_host_is_unreachable(provider, settings):
    settings.BOTS_BASE_URL = "http://no-such-host.invalid/v1"
    started = time.monotonic()
    error = (await collect(provider, ASK)).error
    assert (error.code, error.retryable) == ("backend_unreachable", True)
    assert time.monotonic() - started < 3


async def test_black_hole_is_given_up_within_the_connect_limit(provider, settings):
    settings.BOTS_CONNECT_SECONDS = 1
    with socket.socket() as hole:
        hole.bind(("127.0.0.1", 0))
        hole.listen(0)
        address = hole.getsockname()
        # Linux drops what does not fit the queue of a listener that never accepts.
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        settings.BOTS_BASE_URL = f"http://127.0.0.1:{address[1]}/v1"
        started = time.monotonic()
        error = (await collect(provider, ASK)).error
        for filler in fillers:
            filler.close()
    assert (error.code, error.retryable) == ("backend_unreachable", True)
    assert 0.9 < time.monotonic() - started < 5


@pytest.mark.parametrize("address", ["", "ftp://127.0.0.1/v1", "http://[::1/v1", "not an address"])
async def test_nonsense_address_is_a_setting_to_mend(provider, settings, address):
    settings.BOTS_BASE_URL = address or "http://"
    error = (await collect(provider, ASK)).error
    assert (error.code, error.retryable) == ("backend_misconfigured", False)


async def test_missing_model_is_a_setting_to_mend(provider, settings, model_server):
    settings.BOTS_MODEL = ""
    error = (await collect(provider, Ask(question="Hi"))).error
    assert (error.code, error.retryable) == ("backend_misconfigured", False)
    assert model_server.requests == []


async def test_stopping_early_closes_the_connection_at_once(provider, model_server):
    model_server.script("endless")
    events = provider.stream(ASK)
    await anext(events)
    await events.aclose()
    await until(lambda: model_server.gone_early == 1)


async def test_cancelled_task_closes_the_connection_at_once(provider, model_server):
    model_server.script("slow_words")
    task = asyncio.create_task(collect(provider, ASK))
    await until(lambda: bool(model_server.requests))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: model_server.gone_early == 1)
