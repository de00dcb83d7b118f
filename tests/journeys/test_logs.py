"""Whatever is said in the main journeys, nothing of it stands in the log, at DEBUG either."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.support.contract import Operator, Visitor
from tests.support.model_server import ModelServer
from tests.support.sites import MakeSite

pytestmark = pytest.mark.slow

SECRET = "albatross4711"
"""Stands in everything that anybody says here."""


@pytest.fixture
def model() -> Iterator[ModelServer]:
    server = ModelServer().start()
    server.text = f"The answer is {SECRET}."
    yield server
    server.stop()


@pytest.mark.parametrize("wire", ["chat", "responses"])
def test_no_word_of_anybody_gets_into_the_log(make_site: MakeSite, model: ModelServer, wire: str):
    site = make_site(
        "sqlite",
        LOG_LEVEL="DEBUG",
        LOG_FORMAT="json",
        BOTS_BACKEND=wire,
        BOTS_MODEL="some-model",
        OPENAI_API_KEY=f"sk-{SECRET}",
        OPENAI_BASE_URL=model.base_url,
    )
    server = site.start()
    vera = Visitor(server).start()
    operator = Operator(server)
    with vera.joined() as socket, operator.joined(available=False) as desk:
        socket.say(f"Where is my order? {SECRET}")
        end = socket.until("response_end", outcome="done")
        assert SECRET in end["full_content"]
        # What is refused is not quoted either: too long, not JSON, the same id with other words.
        socket.send_raw('{"type": "message", "content": "' + SECRET)
        assert socket.until("error")["code"] == "bad_json"
        socket.say(SECRET * 1000, client_id="again")
        assert socket.until("error")["code"] in ("too_long", "too_large")
        vera.post(f"once {SECRET}", client_id="c1")
        assert vera.post(f"twice {SECRET}", client_id="c1").status_code == 409
        operator.act(vera.id, "take", force=True)
        operator.write(vera.id, f"I am here. {SECRET}")
        operator.write(vera.id, f"Between us: {SECRET}", kind="note")
        socket.until("message", role="operator")
        desk.settled()
    model.default = "server_error"
    operator.act(vera.id, "handback")
    vera.frame("rating", score=1, comment=f"Bad {SECRET}")
    vera.post(f"And now? {SECRET}")
    server.stop()
    log = server.output()
    assert SECRET not in log
    lines = [line for line in log.splitlines() if line.startswith("{")]
    assert len(lines) > 5
    assert {"time", "level", "logger", "message"} <= json.loads(lines[0]).keys()
    assert any(json.loads(line)["level"] == "DEBUG" for line in lines)
