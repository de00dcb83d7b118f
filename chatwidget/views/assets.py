"""Launcher and panel at addresses that any page may load: no cookie, no database."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from chatwidget.assets import LAUNCHER, PANEL, load_asset

FRESH_SECONDS = 300
STALE_SECONDS = 86_400
YEAR_SECONDS = 31_536_000


@csrf_exempt
@require_safe
def launcher(request: HttpRequest) -> HttpResponse:
    """The stable address that pages embed; browsers ask again after five minutes."""
    return _serve(request, LAUNCHER)


@csrf_exempt
@require_safe
def panel(request: HttpRequest) -> HttpResponse:
    """The panel; under its own hash (``?v=``) it never changes."""
    return _serve(request, PANEL)


def _serve(request: HttpRequest, name: str) -> HttpResponse:
    asset = load_asset(name)
    zipped = "gzip" in request.headers.get("Accept-Encoding", "")
    etag = f'"{asset.digest}-gz"' if zipped else f'"{asset.digest}"'
    known = parse_etags(request.headers.get("If-None-Match", ""))
    if etag in known or f"W/{etag}" in known or "*" in known:
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(
            asset.compressed if zipped else asset.content,
            content_type="text/javascript; charset=utf-8",
        )
        if zipped:
            response["Content-Encoding"] = "gzip"
    response["ETag"] = etag
    response["Cache-Control"] = _caching(request.GET.get("v") == asset.digest)
    # A module of another site's page is fetched with CORS; there is nothing secret in it.
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    patch_vary_headers(response, ["Accept-Encoding"])
    return response


def _caching(is_pinned: bool) -> str:  # noqa: FBT001 -- one caller, one meaning
    if is_pinned:
        return f"public, max-age={YEAR_SECONDS}, immutable"
    return f"public, max-age={FRESH_SECONDS}, stale-while-revalidate={STALE_SECONDS}"
