"""Both wires against somebody else's reading of the API: ``@copilotkit/aimock`` from npm."""

from __future__ import annotations

import json
import urllib.request

import pytest

from bots.backends.base import Ask, ToolSpec
from bots.testing import collect
from tests.support.model_fixture import PROVIDERS
from tests.support.processes import Process, accepts, free_port, missing, program, wait_until
from tests.support.sites import ROOT

pytestmark = pytest.mark.peer

AIMOCK = ROOT / "node_modules/@copilotkit/aimock/dist/cli.js"
ANSWER = "Returns are **free** for 30 days [1]. Grüße 👋 and «goodbye»."
FIXTURES = [
    {"match": {"userMessage": "return it"}, "response": {"content": ANSWER}},
    {
        "match": {"userMessage": "4711", "hasToolResult": True},
        "response": {"content": "It is on its way."},
    },
    {
        "match": {"userMessage": "4711", "hasToolResult": False},
        "response": {
            "content": "Let me look. ",
            "toolCalls": [{"name": "order_status", "arguments": {"order": '4711 "ä" 👋'}}],
        },
    },
    {
        "match": {"userMessage": "too many"},
        "response": {"error": {"message": "slow down", "type": "rate_limit"}, "status": 429},
    },
    {
        "match": {"userMessage": "cut"},
        "response": {"content": ANSWER},
        "truncateAfterChunks": 4,
    },
    {
        "match": {"userMessage": "long"},
        "response": {"content": "Half an ans", "finishReason": "length"},
    },
]
TOOL = ToolSpec(
    name="order_status",
    description="Where an order is.",
    parameters={"type": "object", "properties": {"order": {"type": "string"}}},
)


@pytest.fixture(scope="module")
def aimock(tmp_path_factory):
    """Its base address."""
    if not AIMOCK.exists():
        missing("@copilotkit/aimock (npm ci)")
    folder = tmp_path_factory.mktemp("aimock")
    fixtures = folder / "fixtures.json"
    fixtures.write_text(json.dumps({"fixtures": FIXTURES}))
    port = free_port()
    command = [program("node"), str(AIMOCK), "-p", str(port), "-f", str(fixtures)]
    command += ["--strict", "--latency", "2", "--chunk-size", "4"]
    process = Process(command, log=folder / "log.txt")
    wait_until(lambda: accepts(port), what="aimock's start")
    yield f"http://127.0.0.1:{port}"
    process.kill()


@pytest.fixture(params=sorted(PROVIDERS))
async def backend(request, aimock, settings):
    settings.BOTS_BASE_URL, settings.BOTS_API_KEY = f"{aimock}/v1", "sk-test"
    settings.BOTS_MODEL = "test-model"
    made = PROVIDERS[request.param]()
    yield made
    await made.aclose()


def chaos(aimock, **rates):
    data = json.dumps(rates).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{aimock}/__aimock/chaos", data, headers)
    urllib.request.urlopen(request, timeout=5).close()


async def test_peers_answer_arrives_whole(backend):
    got = await collect(backend, "May I return it?")
    assert (got.error, got.text) == (None, ANSWER)
    assert got.deltas > 5
    assert got.finished.reason == "stop"


async def test_peers_tool_round_trip(backend):
    first = await collect(backend, Ask(question="Where is 4711?", tools=(TOOL,)))
    assert first.error is None
    assert first.text == "Let me look. "
    assert [call.name for call in first.calls] == ["order_status"]
    assert json.loads(first.calls[0].arguments) == {"order": '4711 "ä" 👋'}
    second = await collect(
        backend,
        Ask(
            question="Where is 4711?",
            tools=(TOOL,),
            text_so_far=first.text,
            tool_results=((first.calls[0], "on its way"),),
        ),
    )
    assert (second.error, second.text) == (None, "It is on its way.")


async def test_peers_length_limit_is_told(backend):
    got = await collect(backend, "A long one")
    assert (got.text, got.finished.reason) == ("Half an ans", "length")


async def test_peer_that_breaks_off_has_not_answered(backend):
    got = await collect(backend, "Please cut")
    assert got.finished is None
    assert (got.error.code, got.error.retryable) == ("answer_cut", True)


async def test_peers_rate_limit_is_retryable(backend):
    error = (await collect(backend, "too many")).error
    assert (error.code, error.retryable) == ("backend_rate_limited", True)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("dropRate", "backend_unavailable"),
        ("malformedRate", "answer_unreadable"),
        ("disconnectRate", "backend_unreachable"),
        ("rateLimitRate", "backend_rate_limited"),
    ],
)
async def test_peers_chaos_is_named(backend, aimock, fault, code):
    chaos(aimock, **{fault: 1})
    try:
        got = await collect(backend, "May I return it?")
    finally:
        chaos(aimock)
    assert got.finished is None
    assert (got.error.code, got.error.retryable) == (code, True)
    assert (await collect(backend, "May I return it?")).text == ANSWER
