"""Answers that are answers, however oddly they come."""

from __future__ import annotations

import asyncio

from tests.support.model_exchange import Exchange, script


@script
async def answer(x: Exchange) -> None:
    """The text, word by word."""
    words = x.text.split(" ")
    await x.start()
    await x.say(words[0], *(f" {word}" for word in words[1:]))
    await x.finish()


@script
async def crlf(x: Exchange) -> None:
    """Lines end in CR LF, and the chunks cut between the two."""
    await x.open()
    body = x.wire.start() + x.wire.delta("Hello ") + x.wire.delta("you")
    body += x.wire.finish("stop", [], "Hello you")
    for piece in body.replace(b"\n", b"\r\n").split(b"\n"):
        await x.send(piece)
        await x.send(b"\n")
    await x.end()


@script
async def bytewise(x: Exchange) -> None:
    """Every byte comes alone, so that characters and lines are cut anywhere."""
    await x.open()
    await x.send_bytewise(x.wire.delta("Grüße 👋") + x.wire.finish("stop", [], "Grüße 👋"))
    await x.end()


@script
async def surrogates(x: Exchange) -> None:
    """An emoji's two escapes in two deltas, and a half that never gets its other half."""
    await x.start()
    for text in ("Hi \ud83d", "\udc4b!", " \ud83d", "x", "\ud83d"):
        await x.send(x.wire.delta(text))
    await x.finish()


@script
async def nul(x: Exchange) -> None:
    """Text that PostgreSQL would refuse."""
    await x.start()
    await x.say("a\x00b")
    await x.finish()


@script
async def odd_shapes(x: Exchange) -> None:
    """No choices, two choices, a null delta, unknown events, comments, usage in between."""
    await x.start()
    await x.send(b": keep-alive\n\n" + b"event: ping\n\n" + b"id: 7\nretry: 10\n\n")
    if x.responses:
        await x.send(b'data: {"type": "response.invented", "delta": {"deep": [1]}}\n\n')
        await x.send(b'data: {"no": "type"}\n\n')
        await x.send(b'data: {"type":\ndata: "response.output_text.delta", "delta": "Hi"}\n\n')
        x.said += "Hi"
        await x.send(b"data: [DONE]\n\n")
    else:
        await x.send(b'data: {"id": "c"}\n\n' + b'data: {"choices": null, "usage": null}\n\n')
        await x.send(b'data: {"choices": [{"index": 0, "delta": null}]}\n\n')
        await x.send(b'data: {"choices": [{"index": 1, "delta": {"content": "other"}}]}\n\n')
        await x.send(b'data: {"choices": [],\ndata: "usage": {"prompt_tokens": 1}}\n\n')
        await x.say("Hi")
    await x.finish()


@script
async def length(x: Exchange) -> None:
    """Cut by the token limit."""
    await x.start()
    await x.say("Half an ans")
    await x.finish("length")


@script
async def content_filter(x: Exchange) -> None:
    """Cut by the provider's filter."""
    await x.start()
    await x.say("Well, ")
    await x.finish("content_filter")


@script
async def slow_reasoning(x: Exchange) -> None:
    """Thinks aloud for a while before the first word."""
    await x.start()
    for _ in range(5):
        await x.send(x.wire.reasoning("hm "))
        await asyncio.sleep(0.5)
    await x.say("42")
    await x.finish()


@script
async def unstreamed(x: Exchange) -> None:
    """The text comes only with the last event (responses), or in one delta (chat)."""
    await x.start()
    if not x.responses:
        await x.say(x.text)
    x.said = x.text
    await x.finish()


@script
async def late_trouble(x: Exchange) -> None:
    """Everything was said; then the connection breaks."""
    await x.start()
    await x.say("Done.")
    await x.send(x.wire.finish("stop", [], x.said).replace(b"data: [DONE]\n\n", b""))
    await x.reset()


@script
async def no_usage(x: Exchange) -> None:
    """Ends without usage and without a last word, and leaves the connection open."""
    await x.start()
    await x.say("Done.")
    if x.responses:
        response = {"id": None, "output": None, "usage": None}
        await x.send(x.wire.event("response.completed", response=response))  # type: ignore[union-attr]
    else:
        await x.send(x.wire.chunk({}, finish="stop"))  # type: ignore[union-attr]
    await x.stall()
