"""Which language the widget speaks: the page's wish, then the browser's, then the site's."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation


def supported(code: str | None) -> str | None:
    """The site's own spelling of a language it offers (``de-AT`` → ``de``), or None."""
    try:
        return translation.get_supported_language_variant(code or "")
    except (LookupError, ValueError):
        return None


def negotiate(wish: str | None, request: HttpRequest) -> str:
    """The language for this visitor, always one that the site offers."""
    found = supported(wish)
    if found is None and not wish:
        found = translation.get_language_from_request(request)
    return found or supported(settings.LANGUAGE_CODE) or settings.LANGUAGE_CODE
