"""What every page of the shop shows in its frame."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import get_language_bidi

from config.demo.basket import Basket


def shop(request: HttpRequest) -> dict[str, Any]:
    """The basket, and the writing direction (`?dir=rtl` shows any page mirrored)."""
    asked = request.GET.get("dir")
    natural = "rtl" if get_language_bidi() else "ltr"
    return {
        "basket": Basket(request.session),
        "direction": asked if asked in {"rtl", "ltr"} else natural,
    }
