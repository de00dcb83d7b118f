"""The formatter for machines: one object a line, and no words of anybody."""

from __future__ import annotations

import json
import logging

from inbox.logs import JsonFormatter
from inbox.realtime import metrics
from inbox.testing import make_conversation, make_message
from tests.inbox.test_hub import caught_up, conversation_of, pytestmark, say

__all__ = ["pytestmark"]


def line_of(message: str, *arguments: object, error: BaseException | None = None) -> dict:
    info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("frontdesk.x", 30, __file__, 1, message, arguments, info)
    text = JsonFormatter().format(record)
    assert "\n" not in text
    return json.loads(text)


def test_a_line_is_one_object():
    line = line_of("turn %s\nended", "a–b")
    assert (line["level"], line["logger"]) == ("WARNING", "frontdesk.x")
    assert line["message"] == "turn a–b\nended"
    assert line["time"].endswith("Z")
    assert "error" not in line


def test_an_exception_is_told_by_its_type_and_place_and_never_by_its_words():
    try:
        raise ValueError("Failing row contains (My card is 4111-1111)")
    except ValueError as error:
        line = line_of("it broke", error=error)
    assert line["error"] == "ValueError"
    assert any("test_logs.py" in place for place in line["trace"])
    assert "4111-1111" not in json.dumps(line)


async def test_a_delivery_is_timed_from_its_commit(hub, listen):
    def timed() -> tuple[float, float]:
        (family,) = metrics.delivery_seconds.collect()
        found = {s.name.rsplit("_", 1)[-1]: s.value for s in family.samples}
        return found["count"], found["sum"]

    conversation = await conversation_of()
    ear, reader = listen(hub, conversation)
    await caught_up(reader)
    count, total = timed()
    await say(conversation, "now")
    await ear.until(lambda e: e.seqs == [1])
    # The hub counts right behind the delivery that the ear has just heard.
    assert timed()[0] == count + 1
    assert 0 <= timed()[1] - total < 60


def test_what_nobody_reads_here_is_no_delivery():
    (before,) = metrics.delivery_seconds.collect()
    make_message(make_conversation())
    (after,) = metrics.delivery_seconds.collect()
    assert [s.value for s in before.samples] == [s.value for s in after.samples]
