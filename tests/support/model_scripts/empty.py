"""Ends without anything to show."""

from __future__ import annotations

import json

from tests.support.model_exchange import Exchange, script


@script
async def nothing(x: Exchange) -> None:
    """Ends without a word."""
    await x.start()
    await x.finish()


@script
async def blank(x: Exchange) -> None:
    """White space alone."""
    await x.start()
    await x.say("  ", "\n", "\t")
    await x.finish()


@script
async def only_reasoning(x: Exchange) -> None:
    """Thinks and says nothing."""
    await x.start()
    await x.send(x.wire.reasoning("Let me think."))
    await x.finish()


@script
async def only_reasoning_cut(x: Exchange) -> None:
    """Thinks until the tokens are used up."""
    await x.start()
    await x.send(x.wire.reasoning("Let me think."))
    await x.finish("length")


@script
async def refusal(x: Exchange) -> None:
    """Refuses, in the place for it."""
    await x.start()
    await x.send(x.wire.refusal("I cannot help with that."))
    await x.finish()


@script
async def refusal_unstreamed(x: Exchange) -> None:
    """Refuses in the last event (responses) or in one piece (chat)."""
    await x.start()
    if not x.responses:
        await x.send(x.wire.refusal("No."))
        await x.finish()
        return
    content = [{"type": "refusal", "refusal": "No."}]
    output = [{"type": "message", "role": "assistant", "content": content}]
    completed = x.wire.response("completed", output=output)  # type: ignore[union-attr]
    await x.send(x.wire.event("response.completed", response=completed))  # type: ignore[union-attr]
    await x.end()


@script
async def filtered(x: Exchange) -> None:
    """Filtered before the first word."""
    await x.start()
    await x.finish("content_filter")


@script
async def echo(x: Exchange) -> None:
    """The worst case: a model that gives away everything it was told."""
    await x.start()
    await x.say(json.dumps(x.body, ensure_ascii=False)[:20_000])
    await x.finish()
