"""The model server as fixtures; deadlines are the product's own until a test shortens them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from bots.backends.chat import ChatBackend
from bots.backends.provider import ProviderBackend
from bots.backends.responses import ResponsesBackend
from tests.support.model_server import ModelServer

PROVIDERS: dict[str, type[ProviderBackend]] = {"responses": ResponsesBackend, "chat": ChatBackend}


@pytest.fixture
def model_server(settings: Any) -> Iterator[ModelServer]:
    """A server that behaves until told otherwise; bots ask it."""
    server = ModelServer().start()
    settings.BOTS_BASE_URL = server.base_url
    settings.BOTS_API_KEY = "sk-test-secret-1"
    settings.BOTS_MODEL = "test-model"
    yield server
    server.stop()


@pytest_asyncio.fixture(params=sorted(PROVIDERS))
async def provider(
    request: pytest.FixtureRequest, model_server: ModelServer
) -> AsyncIterator[ProviderBackend]:
    """Each backend that speaks to a provider, in turn."""
    backend = PROVIDERS[request.param]()
    yield backend
    await backend.aclose()
