"""Requests that are refused with a status."""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate

from tests.support.model_exchange import Exchange, script
from tests.support.model_scripts.good import answer


def _refuse(name: str, status: int, code: str = "", message: str = "no", **headers: str) -> None:
    async def refuse(x: Exchange) -> None:
        fields = {key.replace("_", "-"): value for key, value in headers.items()}
        await x.problem(status, code, message, fields)

    refuse.__name__ = name
    script(refuse)


_refuse("rate_limited", 429, "rate_limit_exceeded", Retry_After="2")
_refuse("rate_limited_zero", 429, "rate_limit_exceeded", Retry_After="0")
_refuse("rate_limited_ms", 429, "rate_limit_exceeded", Retry_After_Ms="250", Retry_After="9")
_refuse("rate_limited_huge", 429, "rate_limit_exceeded", Retry_After="1e9")
_refuse("rate_limited_garbage", 429, "rate_limit_exceeded", Retry_After="soon, promised")
_refuse("rate_limited_negative", 429, "rate_limit_exceeded", Retry_After="-5")
_refuse("rate_limited_bare", 429)
_refuse("quota", 429, "insufficient_quota", "You exceeded your current quota")
_refuse("server_error", 500)
_refuse("bad_gateway", 502)
_refuse("unavailable", 503, Retry_After="3")
_refuse("overloaded", 529)
_refuse("unauthorized", 401, "invalid_api_key", "Incorrect API key provided: sk-test-secret-1")
_refuse("forbidden", 403)
_refuse("model_missing", 404, "model_not_found")
_refuse("bad_request", 400, "unsupported_parameter")
_refuse("too_long_code", 400, "context_length_exceeded")
_refuse("too_long_words", 400, "", "This model's maximum context length is 4096 tokens.")
_refuse("too_large", 413)
_refuse("filtered_request", 400, "content_filter")


@script
async def rate_limited_date(x: Exchange) -> None:
    """Retry-After as a date in half a minute."""
    await x.problem(429, headers={"Retry-After": formatdate(time.time() + 30, usegmt=True)})


@script
async def error_without_json(x: Exchange) -> None:
    """A gateway's own page."""
    await x.plain(500, "<html>" + "x" * 300_000)


@script
async def error_as_text(x: Exchange) -> None:
    """The error is a string."""
    await x.plain(404, {"error": "model 'm' not found"})


@script
async def endless_error(x: Exchange) -> None:
    """An error whose body never ends."""
    x._head(500, {"Content-Type": "text/plain", "Transfer-Encoding": "chunked"})
    while True:
        await x.send(b"x" * 65536)


@script
async def broken_error(x: Exchange) -> None:
    """An error whose body breaks off."""
    x._head(503, {"Content-Type": "application/json", "Content-Length": "100"})
    x.writer.write(b'{"error"')
    await asyncio.sleep(0.05)
    await x.reset()


@script
async def redirect(x: Exchange) -> None:
    """Elsewhere."""
    await x.plain(302, "", {"Location": "http://127.0.0.1:9/v1"})


@script
async def previous_unknown(x: Exchange) -> None:
    """Forgot the last response; answers when it gets the whole history."""
    if x.body.get("previous_response_id"):
        await x.problem(
            400, "previous_response_not_found", "not found", param="previous_response_id"
        )
    else:
        await answer(x)
