"""The reference project's own middleware: static files, and a strict policy."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware
from whitenoise.middleware import WhiteNoiseMiddleware

STRICT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; media-src 'self'; connect-src 'self' ws: wss:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
TRUSTED_TYPES = "; require-trusted-types-for 'script'"


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]
    """WhiteNoise that does not pin a thread to every long poll behind it."""

    async_capable = True
    sync_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        super().__init__(get_response)
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if iscoroutinefunction(self):
            return self._answer(request)
        return cast(HttpResponseBase, super().__call__(request))

    async def _answer(self, request: HttpRequest) -> HttpResponseBase:
        if self.autorefresh:
            static_file = await sync_to_async(self.find_file)(request.path_info)
        else:
            static_file = self.files.get(request.path_info)
        if static_file is None:
            return cast(HttpResponseBase, await self.get_response(request))
        return await asyncio.to_thread(self._read, static_file, request)

    def _read(self, static_file: Any, request: HttpRequest) -> HttpResponse:
        """The whole file at once: assets are small, and ASGI cannot stream a plain file."""
        streamed = self.serve(static_file, request)
        response = HttpResponse(b"".join(streamed), status=streamed.status_code)
        streamed.close()
        del response["Content-Type"]
        for name, value in streamed.headers.items():
            response[name] = value
        return response


@sync_and_async_middleware
def ContentSecurityPolicy(get_response: Any) -> Any:
    """Adds the strict policy to every page that has not set one of its own.

    The Django admin's bundled scripts write HTML, so Trusted Types hold everywhere but there.
    """

    def guard(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        in_admin = request.path_info.startswith("/admin/")
        policy = STRICT if in_admin else STRICT + TRUSTED_TYPES
        response.headers.setdefault("Content-Security-Policy", policy)
        return response

    if iscoroutinefunction(get_response):

        async def answer(request: HttpRequest) -> HttpResponseBase:
            return guard(request, await get_response(request))

        return answer

    def answer_sync(request: HttpRequest) -> HttpResponseBase:
        return guard(request, get_response(request))

    return answer_sync
