"""`python -m benchmarks.readers product|sdk chat|responses URL STREAMS`: reads answers until told.

Each line on standard input lets `STREAMS` answers be read at once; a JSON line tells what came:
pieces of text, and one hash over the texts.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
from collections.abc import AsyncIterator, Callable

import openai

from bots.backends.base import Ask, Delta
from bots.backends.chat import ChatBackend
from bots.backends.responses import ResponsesBackend

QUESTION = "How long may I keep the lamp?"
TEXT_DELTA = "response.output_text.delta"
Answer = Callable[[], AsyncIterator[str]]


def product(wire: str, url: str) -> Answer:
    """The product's own decoder, with its deadlines, limits and named errors."""
    kind = ChatBackend if wire == "chat" else ResponsesBackend
    backend = kind(model="scripted", base_url=url, api_key="none")

    async def answer() -> AsyncIterator[str]:
        async for event in backend.stream(Ask(question=QUESTION)):
            if isinstance(event, Delta):
                yield event.text

    return answer


def sdk(wire: str, url: str) -> Answer:
    """The SDK as its manual shows it."""
    client = openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0)

    async def chat() -> AsyncIterator[str]:
        stream = await client.chat.completions.create(
            model="scripted", messages=[{"role": "user", "content": QUESTION}], stream=True
        )
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content

    async def responses() -> AsyncIterator[str]:
        stream = await client.responses.create(model="scripted", input=QUESTION, stream=True)
        async for event in stream:
            if event.type == TEXT_DELTA:
                yield event.delta

    return chat if wire == "chat" else responses


async def read(answer: Answer) -> list[str]:
    return [piece async for piece in answer()]


async def main(reader: str, wire: str, url: str, streams: int) -> None:
    answer = (product if reader == "product" else sdk)(wire, url)
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        answers = await asyncio.gather(*(read(answer) for _ in range(streams)))
        text = "\n".join("".join(pieces) for pieces in answers)
        told = {"pieces": sum(map(len, answers)), "hash": hashlib.sha256(text.encode()).hexdigest()}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    asyncio.run(main(*sys.argv[1:4], streams=int(sys.argv[4])))
