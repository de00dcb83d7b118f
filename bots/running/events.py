"""Reading a backend's events safely; shared by turns and single questions."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from typing import Any

from bots.backends.base import BackendEvent, Source
from bots.errors import BackendError

logger = logging.getLogger("frontdesk.turns")

CUT_MARK = " …"
"""Behind an answer that a limit cut short."""


async def named_errors(
    events: AsyncIterator[BackendEvent],
) -> AsyncGenerator[BackendEvent, None]:
    """The same events; whatever a backend raises beside its own errors is one of them too."""
    while True:
        try:
            event = await anext(events)
        except StopAsyncIteration:
            return
        except BackendError:
            raise
        except Exception as error:
            logger.exception("a backend broke")
            raise BackendError("backend_unavailable", type(error).__name__) from error
        yield event


def as_dicts(sources: Iterable[Source]) -> list[dict[str, Any]]:
    """Sources as the wire and the rows have them."""
    return [
        {"url": source.url, "title": source.title, "snippet": source.snippet} for source in sources
    ]
