"""Named points where a process dies, once, when a visitor's words ask for it.

`[[die POINT TOKEN]]` in a message kills the process that first reaches the point with that
message in hand; a file named TOKEN remembers when, so that no other process dies of it again.
"""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

TURN_POINTS = {
    "before_claim": "the turn waits and is about to be claimed",
    "after_claim": "it is claimed, nothing was read yet",
    "question_sent": "readers were told of an answer, the model is asked",
    "first_word": "the first word was shown",
    "mid_text": "half of the text was shown",
    "before_checkpoint": "what was shown is about to be stored",
    "after_checkpoint": "what was shown is stored",
    "tool_begun": "a tool that changes something is marked as begun, and was not entered",
    "tool_ran": "it has done its work, its result is not stored",
    "tool_stored": "its result is stored, the model does not know it yet",
    "answer_open": "the answer is written in a transaction that is not committed",
    "answer_committed": "it is committed, and nobody was told",
    "hand_off_open": "the hand-off is written in a transaction that is not committed",
    "hand_off_committed": "it is committed, and nobody was told",
}
"""Where a worker dies, in the order of a turn's life."""

SERVER_POINTS = {
    "message_committed": "a message is committed, and no reader was told",
    "turn_committed": "a message and its turn are committed, and no worker was woken",
    "webhook_committed": "a message and its webhook are committed, and no sender was woken",
    "webhook_posted": "a receiver has taken a webhook, which is not written down",
}

LOSE = "[[lose]]"
"""Words whose hint to the other processes is dropped."""

_WISH = re.compile(r"\[\[die (\w+) (\w+)\]\]")


def words_to_die(point: str, token: str) -> str:
    """What a visitor writes for it."""
    return f"[[die {point} {token}]]"


def folder() -> Path:
    """Where a chaos site keeps its marks."""
    return Path(os.environ["FAULTS_DIR"])


def died_at(marks: Path, token: str) -> float | None:
    """`time.time()` of the death under this token, None while nobody has died of it."""
    try:
        return float((marks / token).read_text() or time.time())
    except FileNotFoundError:
        return None


def wishes(words: str, point: str) -> list[str]:
    """Tokens under which these words want a death at this point that has not happened yet."""
    tokens = [token for wanted, token in _WISH.findall(words) if wanted == point]
    return [token for token in tokens if not (folder() / token).exists()]


def reach(point: str, words: str) -> None:
    """This process has come to a point with these words in hand."""
    for token in wishes(words, point):
        try:
            mark = (folder() / token).open("x")
        except FileExistsError:
            continue  # another process was first
        mark.write(str(time.time()))
        mark.close()
        os.kill(os.getpid(), signal.SIGKILL)
