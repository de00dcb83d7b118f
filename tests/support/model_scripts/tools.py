"""Answers that ask for tools."""

from __future__ import annotations

from tests.support.model_exchange import Exchange, script


@script
async def tool(x: Exchange) -> None:
    """Text, then a call; with a result, an answer that repeats it."""
    results = [i["output"] for i in x.body.get("input", []) if "output" in i]
    results += [m["content"] for m in x.body.get("messages", []) if m["role"] == "tool"]
    await x.start()
    if results:
        await x.say("The tool says: ", results[-1])
    else:
        await x.say("Let me look. ")
        await x.call("call_a", "order_status", '{"order":', ' "4711"}')
    await x.finish()


@script
async def tool_split(x: Exchange) -> None:
    """Arguments cut inside an escape and inside a surrogate pair's escapes."""
    await x.start()
    await x.call("call_a", "note", '{"text": "a\\', "n\\u00", "e4\\ud83d", '\\udc4b"}')
    await x.finish()


@script
async def tools_several(x: Exchange) -> None:
    """Two calls whose pieces alternate."""
    await x.start()
    for index, name in enumerate(("first", "second")):
        await x.send(x.wire.call_start(index, f"call_{name}", name))
    for piece in ('{"n"', ": 1}"):
        for index in (0, 1):
            await x.send(x.wire.arguments(index, piece))
    x.calls = [
        {"call_id": f"call_{name}", "name": name, "arguments": '{"n": 1}'}
        for name in ("first", "second")
    ]
    await x.finish()


@script
async def tool_bad_json(x: Exchange) -> None:
    """Arguments that are no JSON."""
    await x.start()
    await x.call("call_a", "order_status", "{'order': oops")
    await x.finish()


@script
async def tool_same_ids(x: Exchange) -> None:
    """Two calls with one id, and one without."""
    await x.start()
    for call_id in ("call_a", "call_a", ""):
        await x.call(call_id, "order_status", "{}")
    await x.finish()


@script
async def tool_without_index(x: Exchange) -> None:
    """Whole calls without an index and a finish of "stop", as some servers send them."""
    await x.start()
    if x.responses:
        await x.call("call_a", "order_status", "{}")
        await x.call("call_b", "order_status", "{}")
        await x.finish()
        return
    for call_id in ("call_a", "call_b"):
        function = {"name": "order_status", "arguments": "{}"}
        call = {"id": call_id, "type": "function", "function": function}
        await x.send(x.wire.chunk({"tool_calls": [call]}))  # type: ignore[union-attr]
    await x.send(x.wire.chunk({}, finish="stop"))  # type: ignore[union-attr]
    await x.end()


@script
async def tool_cut(x: Exchange) -> None:
    """Out of tokens in the middle of a call's arguments."""
    await x.start()
    await x.say("Let me look. ")
    await x.call("call_a", "order_status", '{"order": "47')
    await x.finish("length")


@script
async def tool_flood(x: Exchange) -> None:
    """A hundred calls at once."""
    await x.start()
    for number in range(100):
        await x.call(f"call_{number}", "order_status", "{}")
    await x.finish()
