"""Tools: what a host declares, what a model may do with it, and what never reaches either."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import uuid
from dataclasses import dataclass
from typing import Annotated, Literal

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ImproperlyConfigured
from msgspec import Meta

from bots.backends.base import HandOff, Passage, Source, ToolCall
from bots.errors import ToolError
from bots.tools import (
    ToolContext,
    ToolDefinitionError,
    host_tools,
    run_tool,
    search_knowledge_tool,
    specs,
    tool,
    tools_for,
)
from bots.tools.definition import make_tool

VERA = ToolContext(
    conversation_id=uuid.uuid4(), visitor_id=7, visitor_external_id="user:7", language="de"
)
EFFECTS: list[str] = []


@tool
def order_status(
    context: ToolContext,
    order: Annotated[str, Meta(max_length=20)],
    detail: Literal["short", "long"] = "short",
) -> str:
    """Where an order of this visitor is."""
    return f"{order} of {context.visitor_external_id}: on its way ({detail})"


@tool(side_effect=True)
async def cancel_order(order: int, *, reasons: list[str] | None = None) -> dict[str, object]:
    """Cancel an order."""
    EFFECTS.append(str(order))
    return {"cancelled": order, "reasons": reasons or [], "id": uuid.UUID(int=1)}


@tool(permission="auth.view_user", name="list_users")
def users_of_the_site() -> list[str]:
    """All users."""
    return sorted(User.objects.values_list("username", flat=True))


@tool
def nothing() -> None:
    """Do nothing."""


def not_a_tool() -> None:
    """Not marked."""


@pytest.fixture(autouse=True)
def _host(settings):
    settings.BOTS_TOOLS = [
        f"tests.bots.test_tools.{name}"
        for name in ("order_status", "cancel_order", "users_of_the_site", "nothing")
    ]
    EFFECTS.clear()


async def run(name, arguments="{}", context=VERA, tools=None):
    call = ToolCall(call_id="call_1", name=name, arguments=arguments)
    return await run_tool(call, context, tools if tools is not None else tools_for(context))


# --- Declaring -----------------------------------------------------------------------------


def test_hints_and_docstring_become_the_schema():
    spec = host_tools()["order_status"].spec
    assert spec.description == "Where an order of this visitor is."
    assert spec.side_effect is False
    assert spec.parameters == {
        "type": "object",
        "properties": {
            "order": {"type": "string", "maxLength": 20},
            "detail": {"enum": ["long", "short"], "default": "short"},
        },
        "required": ["order"],
        "additionalProperties": False,
    }


def test_nested_shapes_stand_beside_the_schema():
    @dataclass
    class Line:
        sku: str
        count: int

    def reorder(lines: list[Line]) -> str:
        """Order again."""
        return ""

    reorder.__annotations__ = {"lines": list[Line], "return": str}
    schema = make_tool(reorder).spec.parameters
    assert schema["properties"]["lines"]["items"] == {"$ref": "#/$defs/Line"}
    assert schema["$defs"]["Line"]["required"] == ["sku", "count"]


def test_function_stays_what_it_was():
    assert order_status(VERA, "4711") == "4711 of user:7: on its way (short)"


@pytest.mark.parametrize(
    "name", ["visitor_id", "user_id", "user", "conversation_id", "customer_id", "widget_key"]
)
def test_model_can_never_say_whom_a_call_is_about(name):
    scope: dict[str, object] = {}
    exec(f"def peek({name}: str) -> str:\n    'Look.'\n    return ''", scope)
    with pytest.raises(ToolDefinitionError, match="ToolContext"):
        tool(scope["peek"])


def test_function_that_cannot_be_a_tool_says_why():
    def silent(order: str) -> str:
        return order

    def untyped(order) -> str:
        """Doc."""
        return order

    def many(*orders: str) -> str:
        """Doc."""
        return ""

    def unknown(order: NotImported) -> str:  # noqa: F821
        """Doc."""
        return ""

    def unspeakable(order: threading.Lock) -> str:
        """Doc."""
        return ""

    unspeakable.__annotations__["order"] = threading.Thread
    for function, words in (
        (silent, "docstring"),
        (untyped, "type hint"),
        (many, "plain or keyword-only"),
        (unknown, "NotImported"),
        (unspeakable, "Thread"),
    ):
        with pytest.raises(ToolDefinitionError, match=words):
            tool(function)
    with pytest.raises(ToolDefinitionError, match="name"):
        tool(name="Not A Name")(nothing)


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        (["no.such.module"], "cannot be imported"),
        (["tests.bots.test_tools.not_a_tool"], "@tool"),
        (["tests.bots.test_tools.nothing", "tests.bots.test_tools.nothing"], "two tools"),
    ],
)
def test_wrong_path_in_settings_says_what_is_wrong(settings, paths, words):
    settings.BOTS_TOOLS = paths
    with pytest.raises(ImproperlyConfigured, match=words):
        host_tools()


# --- Running -------------------------------------------------------------------------------


async def test_tool_gets_the_servers_context_and_the_models_arguments():
    got = await run("order_status", '{"order": "4711", "detail": "long"}')
    assert (got.code, got.text) == ("ok", "4711 of user:7: on its way (long)")
    assert got.began


async def test_async_tool_and_plain_values_work():
    got = await run("cancel_order", '{"order": 5, "reasons": ["late"]}')
    assert got.text == (
        '{"cancelled":5,"reasons":["late"],"id":"00000000-0000-0000-0000-000000000001"}'
    )
    assert EFFECTS == ["5"]


async def test_nothing_returned_is_done():
    assert (await run("nothing", "")).text == "Done."


ATTACKS = {
    "wrong type": '{"order": "5"}',
    "float for int": '{"order": 5.5}',
    "null": '{"order": null}',
    "missing": "{}",
    "extra key": '{"order": 5, "user_id": 42}',
    "context forged": '{"order": 5, "context": {"visitor_id": 42}}',
    "list": "[5]",
    "no json": "{'order': __import__('os')}",
    "NaN": '{"order": NaN}',
    "two documents": '{"order": 5}{"order": 6}',
    "lone surrogate": '{"order": 5, "reasons": ["\\ud800"]}',
    "NUL": '{"order": 5, "reasons": ["\\u0000"]}',
    "deep": "[" * 100_000,
    "deep inside": '{"order": ' + "[" * 8_000,
    "a megabyte": '{"order": 5, "reasons": ["' + "x" * 1_000_000 + '"]}',
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_bad_arguments_go_back_to_the_model_and_nothing_runs(attack):
    got = await run("cancel_order", ATTACKS[attack])
    assert got.code == "invalid_arguments"
    assert not got.began
    assert EFFECTS == []
    assert len(got.text) < 500


async def test_unknown_tool_is_told_what_there_is():
    got = await run("drop_tables")
    assert got.code == "unknown_tool"
    assert "order_status" in got.text


async def test_tools_own_refusal_reaches_the_model():
    @tool
    def refuse(order: str) -> str:
        """Refuse."""
        raise ToolError(f"Order {order} belongs to somebody else.")

    got = await run("refuse", '{"order": "1"}', tools={"refuse": make_tool(refuse)})
    assert (got.code, got.text) == ("tool_failed", "Order 1 belongs to somebody else.")


async def test_exception_is_logged_and_its_words_stay_here(caplog):
    def explode() -> str:
        """Fail."""
        raise RuntimeError("password=hunter2")

    with caplog.at_level(logging.ERROR, "bots.tools"):
        got = await run("explode", tools={"explode": make_tool(explode)})
    assert (got.code, got.began) == ("tool_failed", True)
    assert "hunter2" not in got.text
    assert "hunter2" in caplog.text


@pytest.mark.parametrize("is_async", [True, False])
async def test_hanging_tool_is_left_after_its_time(settings, is_async):
    settings.BOTS_TOOL_SECONDS = 0.1
    free = threading.Event()

    def hang() -> str:
        """Hang."""
        free.wait(10)
        return "late"

    async def hang_async() -> str:
        """Hang."""
        await asyncio.sleep(10)
        return "late"

    made = make_tool(hang_async if is_async else hang, name="hang")
    started = time.monotonic()
    got = await run("hang", tools={"hang": made})
    free.set()
    assert (got.code, got.began) == ("tool_timeout", True)
    assert time.monotonic() - started < 2


async def test_hanging_tools_do_not_use_up_the_process(settings):
    settings.BOTS_TOOL_SECONDS, settings.BOTS_TOOL_THREADS = 0.05, 2
    free = threading.Event()

    def hang() -> str:
        """Hang."""
        free.wait(10)
        return ""

    tools = {"hang": make_tool(hang)}
    codes = [(await run("hang", tools=tools)).code for _ in range(3)]
    free.set()
    assert codes == ["tool_timeout", "tool_timeout", "tool_failed"]
    async with asyncio.timeout(5):
        while (await run("nothing")).code != "ok":
            await asyncio.sleep(0.01)


async def test_own_timeout_of_a_tool_is_its_failure_not_ours():
    def impatient() -> str:
        """Give up."""
        raise TimeoutError

    assert (await run("impatient", tools={"impatient": make_tool(impatient)})).code == "tool_failed"


@pytest.mark.parametrize("text", ["x" * 50_000_000, "ä" * 20_000, "👋" * 8_000])
async def test_long_result_is_cut_between_characters(text):
    def flood() -> str:
        """Flood."""
        return text

    got = await run("flood", tools={"flood": make_tool(flood)})
    assert len(got.text.encode()) <= 16_000
    assert got.text.endswith("… [cut]")
    assert "\ufffd" not in got.text


async def test_result_is_text_that_every_database_takes():
    def dirty() -> str:
        """Dirty."""
        return "a\x00b\ud800c"

    assert (await run("dirty", tools={"dirty": make_tool(dirty)})).text == "ab\ufffdc"


# --- Permission ----------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
class TestPermission:
    def context(self, user):
        return ToolContext(conversation_id=uuid.uuid4(), visitor_id=1, user=user)

    @pytest.fixture
    def vera(self):
        return User.objects.create_user("vera")

    def test_guest_and_user_without_permission_are_not_offered_the_tool(self, vera):
        assert "list_users" not in tools_for(self.context(None))
        assert "list_users" not in tools_for(self.context(vera))
        assert "order_status" in tools_for(self.context(None))

    async def test_permitted_user_may_use_it_with_the_database(self, vera):
        await vera.user_permissions.aadd(await Permission.objects.aget(codename="view_user"))
        vera = await User.objects.aget(pk=vera.pk)
        got = await run("list_users", context=self.context(vera), tools=host_tools())
        assert (got.code, got.text) == ("ok", '["vera"]')

    async def test_permission_is_asked_again_when_the_tool_runs(self, vera):
        got = await run("list_users", context=self.context(vera), tools=host_tools())
        assert (got.code, got.began) == ("tool_denied", False)

    async def test_failing_permission_check_denies(self):
        class Broken:
            def has_perm(self, _permission):
                raise RuntimeError("no database")

        got = await run("list_users", context=self.context(Broken()), tools=host_tools())
        assert (got.code, got.began) == ("tool_failed", False)


# --- Built-in tools ------------------------------------------------------------------------


async def test_hand_off_tool_becomes_a_hand_off():
    got = await run(
        "hand_off",
        '{"reason": "refund", "summary": "Wants money back", "question": "When?", "tried": "docs"}',
    )
    assert got.hand_off == HandOff(
        reason="refund", summary="Wants money back", question="When?", tried="docs"
    )


async def test_hand_off_without_a_reason_is_mended_by_the_model():
    assert (await run("hand_off", "{}")).code == "invalid_arguments"


def passage(title):
    return Passage(source=Source(url=f"/{title}", title=title, snippet=""), text=f"All of {title}")


@pytest.mark.parametrize("is_async", [True, False])
async def test_search_numbers_go_on_where_the_passages_ended(is_async):
    queries = []

    def search(query, context):
        queries.append((query, context))
        return [passage("returns"), passage("payment")] if query != "nothing" else []

    async def search_async(query, context):
        return search(query, context)

    made = search_knowledge_tool(search_async if is_async else search, first_number=4)
    tools = {made.name: made}
    first = await run("search_knowledge", '{"query": "returns"}', tools=tools)
    second = await run("search_knowledge", '{"query": "more"}', tools=tools)
    third = await run("search_knowledge", '{"query": "nothing"}', tools=tools)
    assert queries[0] == ("returns", VERA)
    assert "[4] returns (/returns)\nAll of returns" in first.text
    assert "[7] payment" in second.text
    assert [p.source.title for p in first.passages] == ["returns", "payment"]
    assert (third.text, third.passages) == ("Nothing was found.", ())


def test_offered_tools_are_told_to_the_backend():
    made = search_knowledge_tool(lambda query, context: [])
    names = [spec.name for spec in specs(tools_for(VERA, more=[made]))]
    assert names == ["hand_off", "order_status", "cancel_order", "nothing", "search_knowledge"]
