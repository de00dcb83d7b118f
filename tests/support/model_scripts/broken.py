"""Streams that break, stall or never end."""

from __future__ import annotations

import asyncio
import gzip

from tests.support.model_exchange import Exchange, script


@script
async def clean_cut(x: Exchange) -> None:
    """The body ends properly in the middle of the answer."""
    await x.start()
    await x.say("Returns are")
    await x.cut()


@script
async def cut_in_event(x: Exchange) -> None:
    """The body ends in the middle of an event."""
    await x.start()
    await x.say("Returns are")
    await x.send(x.wire.delta(" free")[:-20])
    await x.cut()


@script
async def only_done(x: Exchange) -> None:
    """Says it is done, without having finished."""
    await x.start()
    await x.say("Returns are")
    await x.send(b"data: [DONE]\n\n")
    await x.end()


@script
async def empty_body(x: Exchange) -> None:
    """An event stream without events."""
    await x.open()
    await x.end()


@script
async def html_page(x: Exchange) -> None:
    """A gateway's error page with status 200."""
    await x.plain(200, "<html><title>502 Bad Gateway</title></html>")


@script
async def html_as_stream(x: Exchange) -> None:
    """The same page, called an event stream."""
    await x.plain(200, "<html>502</html>\n\n", kind="text/event-stream")


@script
async def wrong_type(x: Exchange) -> None:
    """A good answer under a wrong content type."""
    await x.open("application/octet-stream")
    await x.send(x.wire.delta("Hi") + x.wire.finish("stop", [], "Hi"))
    await x.end()


@script
async def unasked_json(x: Exchange) -> None:
    """Ignores ``stream`` and answers in one piece."""
    await x.plain(200, x.wire.whole(x.text))


@script
async def reset(x: Exchange) -> None:
    """RST in the middle of the answer."""
    await x.start()
    await x.say("Returns are")
    await asyncio.sleep(0.05)
    await x.reset()


@script
async def reset_before(x: Exchange) -> None:
    """RST instead of a reply."""
    await x.reset()


@script
async def hang_up(x: Exchange) -> None:
    """Closes without a reply."""
    x.closing = True


@script
async def bad_http(x: Exchange) -> None:
    """No HTTP at all."""
    x.writer.write(b"\x16\x03\x01 nonsense\r\n\r\n")
    x.closing = True


@script
async def bad_json(x: Exchange) -> None:
    """An event that is no JSON."""
    await x.start()
    await x.say("Returns are")
    await x.send(b'data: {"choices": [{"delta": {"content": "bro\n\n')
    await x.finish()


@script
async def wrong_json(x: Exchange) -> None:
    """JSON of another shape."""
    await x.start()
    await x.send(b"data: [1, 2]\n\n")
    await x.finish()


@script
async def deep_json(x: Exchange) -> None:
    """JSON nested 100,000 deep."""
    await x.start()
    await x.send(b'data: {"choices": ' + b"[" * 100_000 + b"\n\n")
    await x.finish()


@script
async def error_event(x: Exchange) -> None:
    """The provider gives up in the middle."""
    await x.start()
    await x.say("Returns are")
    await x.send(x.wire.error("server_error", "The server had an error"))
    await x.end()


@script
async def error_event_limit(x: Exchange) -> None:
    """A rate limit in the middle of the stream."""
    await x.start()
    await x.send(x.wire.error("rate_limit_exceeded", "slow down"))
    await x.end()


@script
async def failed(x: Exchange) -> None:
    """``response.failed``, or a nested error object."""
    await x.start()
    await x.say("Returns are")
    error = {"code": "server_error", "message": "no"}
    if x.responses:
        failed_response = x.wire.response("failed", error=error)  # type: ignore[union-attr]
        await x.send(x.wire.event("response.failed", response=failed_response))  # type: ignore[union-attr]
    else:
        await x.send(b'data: {"error": "out of memory"}\n\n')
    await x.end()


@script
async def failed_as_completed(x: Exchange) -> None:
    """Says "completed" and means "failed"; or fails with an empty error."""
    await x.start()
    await x.say("Returns are")
    if x.responses:
        status = x.wire.response("failed")  # type: ignore[union-attr]
        await x.send(x.wire.event("response.completed", response=status))  # type: ignore[union-attr]
    else:
        await x.send(b'data: {"error": {}}\n\n')
    await x.end()


@script
async def unknown_finish(x: Exchange) -> None:
    """Ends for a reason that nobody knows."""
    await x.start()
    await x.say("Returns are")
    await x.finish("cosmic_rays")


@script
async def gzip_garbage(x: Exchange) -> None:
    """Claims compression and sends none."""
    await x.open(Content_Encoding="gzip")
    await x.send(b"this is not gzip")
    await x.end()


@script
async def gzipped(x: Exchange) -> None:
    """Compresses though nobody asked."""
    await x.open(Content_Encoding="gzip")
    await x.send(gzip.compress(x.wire.delta("Hi") + x.wire.finish("stop", [], "Hi")))
    await x.end()


@script
async def silent(x: Exchange) -> None:
    """Takes the request and says nothing."""
    await x.stall()


@script
async def silent_stream(x: Exchange) -> None:
    """Opens the stream and says nothing."""
    await x.start()
    await x.stall()


@script
async def comments_only(x: Exchange) -> None:
    """Keeps the connection alive, not the answer."""
    await x.start()
    while True:
        await x.send(b": still here\n\n")
        await asyncio.sleep(0.05)


@script
async def comment_flood(x: Exchange) -> None:
    """The same as fast as it goes: there is always something to read, never an event."""
    await x.start()
    while True:
        await x.send(b": still here\n\n" * 1000)


@script
async def stall(x: Exchange) -> None:
    """Falls silent in the middle of the answer."""
    await x.start()
    await x.say("Returns are")
    await x.stall()


@script
async def drip(x: Exchange) -> None:
    """Byte by byte, slowly."""
    await x.start()
    await x.say("Returns are")
    for byte in x.wire.delta(" free" * 100):
        await x.send(bytes([byte]))
        await asyncio.sleep(0.05)


@script
async def slow_words(x: Exchange) -> None:
    """Never silent for long, never done."""
    await x.start()
    while True:
        await x.say("and ")
        await asyncio.sleep(0.05)


@script
async def endless(x: Exchange) -> None:
    """An answer without an end, as fast as it goes."""
    await x.start()
    while True:
        await x.say("and so on " * 100)


@script
async def endless_line(x: Exchange) -> None:
    """An event without an end."""
    await x.start()
    await x.send(b"data: ")
    while True:
        await x.send(b"x" * 65536)


@script
async def huge_delta(x: Exchange) -> None:
    """One delta of a megabyte."""
    await x.start()
    await x.say("x" * 1_000_000)
    await x.finish()


@script
async def many_deltas(x: Exchange) -> None:
    """Twenty thousand deltas of one character."""
    await x.start()
    for _ in range(40):
        await x.send(b"".join(x.wire.delta("y") for _ in range(500)))
    x.said = "y" * 20_000
    await x.finish()
