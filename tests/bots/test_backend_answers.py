"""Good answers over real HTTP, on both wires: text, tools, ends, and what is sent for them."""

from __future__ import annotations

from contextlib import aclosing

import pytest

from bots.backends.base import (
    Ask,
    ChatTurn,
    Delta,
    Finished,
    Passage,
    Source,
    ToolCall,
    ToolSpec,
    Usage,
)
from bots.testing import collect

ORDER_TOOL = ToolSpec(
    name="order_status",
    description="Where an order is.",
    parameters={"type": "object", "properties": {"order": {"type": "string"}}},
)
ASK = Ask(question="May I return it?")

TEXTS = {
    "answer": "Returns are free for 30 days [1].",
    "crlf": "Hello you",
    "bytewise": "Grüße 👋",
    "surrogates": "Hi 👋! \ufffdx\ufffd",
    "nul": "ab",
    "odd_shapes": "Hi",
    "slow_reasoning": "42",
    "unstreamed": "Returns are free for 30 days [1].",
    "late_trouble": "Done.",
    "no_usage": "Done.",
    "gzipped": "Hi",
    "many_deltas": "y" * 20_000,
}


@pytest.mark.parametrize("script", TEXTS)
async def test_text_arrives_whole(provider, model_server, script):
    model_server.script(script)
    got = await collect(provider, ASK)
    assert got.error is None
    assert got.text == TEXTS[script]
    assert got.finished.reason == "stop"


async def test_first_word_comes_before_the_last_is_written(provider, model_server):
    model_server.script("stall")
    async with aclosing(provider.stream(ASK)) as events:
        assert await anext(events) == Delta("Returns are")


async def test_deltas_are_passed_on_one_by_one(provider, model_server):
    got = await collect(provider, ASK)
    assert got.deltas == len(model_server.text.split())


async def test_usage_and_response_id_are_told(provider, model_server):
    got = await collect(provider, ASK)
    assert got.finished.usage == Usage(input_tokens=11, output_tokens=7)
    assert got.finished.usage.total_tokens == 18
    assert got.finished.response_id.startswith(("resp_", "chatcmpl-"))


@pytest.mark.parametrize("script", ["length", "content_filter"])
async def test_cut_answer_with_text_is_an_answer_that_says_so(provider, model_server, script):
    model_server.script(script)
    got = await collect(provider, ASK)
    assert got.error is None
    assert got.finished.reason == script


async def test_thinking_aloud_counts_as_a_sign_of_life(provider, model_server, settings):
    settings.BOTS_FIRST_TOKEN_SECONDS = 2
    model_server.script("slow_reasoning")
    assert (await collect(provider, ASK)).text == "42"


async def test_connection_is_used_again(provider, model_server):
    ports = []
    for _ in range(3):
        await collect(provider, ASK)
        loop_client = next(iter(provider._clients.values()))
        ports.append(len(loop_client._http._transport._pool.connections))
    assert ports == [1, 1, 1]


async def test_text_then_tool_then_answer(provider, model_server):
    model_server.script("tool", "tool")
    ask = Ask(question="Where is 4711?", tools=(ORDER_TOOL,))
    first = await collect(provider, ask)
    assert first.text == "Let me look. "
    assert first.calls == [
        ToolCall(call_id="call_a", name="order_status", arguments='{"order": "4711"}')
    ]
    assert first.finished.reason == "tool_calls"
    second = await collect(
        provider,
        Ask(
            question="Where is 4711?",
            tools=(ORDER_TOOL,),
            text_so_far=first.text,
            tool_results=((first.calls[0], "on its way"),),
        ),
    )
    assert "on its way" in second.text
    assert second.finished.reason == "stop"


TOOL_SCRIPTS = {
    "tool_split": [("call_a", "note", '{"text": "a\\n\\u00e4\\ud83d\\udc4b"}')],
    "tools_several": [("call_first", "first", '{"n": 1}'), ("call_second", "second", '{"n": 1}')],
    "tool_bad_json": [("call_a", "order_status", "{'order': oops")],
    "tool_without_index": [("call_a", "order_status", "{}"), ("call_b", "order_status", "{}")],
}


@pytest.mark.parametrize("script", TOOL_SCRIPTS)
async def test_tool_calls_are_put_together(provider, model_server, script):
    model_server.script(script)
    got = await collect(provider, ASK)
    assert got.error is None
    assert [(c.call_id, c.name, c.arguments) for c in got.calls] == TOOL_SCRIPTS[script]
    assert got.finished.reason == "tool_calls"


async def test_call_cut_by_the_token_limit_is_no_call(provider, model_server):
    model_server.script("tool_cut")
    got = await collect(provider, ASK)
    assert got.calls == []
    assert (got.text, got.finished.reason) == ("Let me look. ", "length")


async def test_every_call_has_an_id_of_its_own(provider, model_server):
    model_server.script("tool_same_ids")
    earlier = ToolCall(call_id="call_a", name="order_status", arguments="{}")
    got = await collect(provider, Ask(question="?", tool_results=((earlier, "x"),)))
    ids = [call.call_id for call in got.calls]
    assert len({*ids, "call_a"}) == 4, "results are stored under the id"
    assert all(ids)


async def test_request_says_what_was_asked(provider, model_server):
    ask = Ask(
        question="May I return it?",
        history=(ChatTurn(role="user", content="Hello"), ChatTurn(role="assistant", content="Hi")),
        passages=(Passage(source=Source(url="/r", title="Returns", snippet=""), text="30 days"),),
        instructions="Be kind.",
        language="de",
        tools=(ORDER_TOOL,),
        model="another-model",
        temperature=0.5,
        max_output_tokens=123,
    )
    await collect(provider, ask)
    body = model_server.requests[0].body
    assert body["model"] == "another-model"
    assert body["temperature"] == 0.5
    assert body["stream"] is True
    text = str(body)
    for words in ("May I return it?", "Hello", "30 days", "Be kind.", "code de", "order_status"):
        assert words in text
    if provider.name == "responses":
        assert body["max_output_tokens"] == 123
        assert body["store"] is False
        assert "previous_response_id" not in body
    else:
        assert body["max_tokens"] == 123
        assert "max_completion_tokens" not in body


async def test_key_travels_only_as_authorization(provider, model_server):
    await collect(provider, ASK)
    request = model_server.requests[0]
    assert request.headers["authorization"] == "Bearer sk-test-secret-1"
    assert "sk-test-secret-1" not in str(request.body)


async def test_environment_decides_nothing(provider, model_server, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-somebody-else")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    assert (await collect(provider, ASK)).text == model_server.text
    assert model_server.requests[0].headers["authorization"] == "Bearer sk-test-secret-1"


async def test_options_of_a_backend_win_over_settings(provider, model_server, settings):
    base_url = settings.BOTS_BASE_URL
    settings.BOTS_BASE_URL = "http://127.0.0.1:9/v1"
    own = type(provider)(
        model="own-model",
        base_url=base_url,
        api_key="own-key",
        temperature=0.1,
        extra_body={"keep_alive": "5m"},
    )
    assert (await collect(own, ASK)).text == model_server.text
    await own.aclose()
    request = model_server.requests[0]
    assert request.body["model"] == "own-model"
    assert request.body["keep_alive"] == "5m"
    assert request.body["temperature"] == 0.1
    assert request.headers["authorization"] == "Bearer own-key"


async def test_changed_address_is_used_for_the_next_question(provider, model_server, settings):
    await collect(provider, ASK)
    settings.BOTS_BASE_URL = "http://127.0.0.1:9/v1"
    assert (await collect(provider, ASK)).error.code == "backend_unreachable"
    settings.BOTS_BASE_URL = model_server.base_url
    assert (await collect(provider, ASK)).error is None


def test_check_names_what_is_missing(settings):
    from bots.backends.responses import ResponsesBackend

    settings.BOTS_MODEL = settings.BOTS_API_KEY = settings.BOTS_BASE_URL = ""
    assert len(ResponsesBackend().check()) == 2
    settings.BOTS_MODEL, settings.BOTS_API_KEY = "m", "k"
    assert ResponsesBackend().check() == []


def test_openai_itself_gets_the_newer_name_of_the_limit(settings):
    from bots.backends.chat import ChatBackend

    settings.BOTS_BASE_URL = ""
    assert "max_completion_tokens" in ChatBackend(model="m").body(ASK)
    assert "limit" in ChatBackend(model="m", max_tokens_field="limit").body(ASK)


class TestChaining:
    """``previous_response_id``, which only the Responses API has."""

    ASK = Ask(
        question="And then?",
        history=(ChatTurn(role="user", content="Older words"),),
        previous_response_id="resp_before",
        store=True,
    )

    @pytest.fixture
    async def responses(self, model_server):
        from bots.backends.responses import ResponsesBackend

        backend = ResponsesBackend()
        yield backend
        await backend.aclose()

    async def test_chained_question_leaves_history_to_the_provider(self, responses, model_server):
        await collect(responses, self.ASK)
        body = model_server.requests[0].body
        assert body["previous_response_id"] == "resp_before"
        assert body["store"] is True
        assert "Older words" not in str(body)
        assert "And then?" in str(body)

    async def test_forgotten_response_falls_back_to_our_own_history(self, responses, model_server):
        model_server.script("previous_unknown", "previous_unknown")
        got = await collect(responses, self.ASK)
        assert got.text == model_server.text
        assert "Older words" in str(model_server.requests[1].body)
        assert "previous_response_id" not in model_server.requests[1].body


async def test_finish_is_the_last_event(provider, model_server):
    async with aclosing(provider.stream(ASK)) as events:
        last = [event async for event in events][-1]
    assert isinstance(last, Finished)
