"""``{% load chatwidget %}{% chatwidget %}``: one external script, no inline code, no style.

The file that it names shows a button and nothing else; the panel is fetched on the first sign of
interest, and ``defer`` keeps the button off the page's critical path.
"""

from __future__ import annotations

from typing import Any

from django import template
from django.template.context import Context
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from chatwidget.assets import PANEL, load_asset
from chatwidget.models import DEFAULT_KEY, Widget

register = template.Library()


@register.simple_tag(takes_context=True)
def chatwidget(context: Context, key: str = DEFAULT_KEY, **extra: Any) -> SafeString:
    """The widget's script element; nothing when no enabled widget has this key.

    ``{% chatwidget "sales" %}`` names another widget. Further arguments become ``data-``
    attributes of the element: ``{% chatwidget theme="dark" %}``. It works without a request.
    """
    widget = Widget.objects.filter(key=key, enabled=True).first()
    if widget is None:
        return SafeString("")
    request = context.get("request")
    nonce = getattr(request, "csp_nonce", None) or context.get("csp_nonce")
    shown = {"nonce": nonce, **script_context(widget, extra)}
    return render_to_string("chatwidget/script.html", shown)


def script_context(widget: Widget, extra: dict[str, Any]) -> dict[str, Any]:
    """What ``chatwidget/script.html`` shows."""
    page = reverse("chatwidget:page")
    label = _("Open chat")
    data = {
        "widget": widget.key,
        "base": page,
        "panel": f"{reverse('chatwidget:panel')}?v={load_asset(PANEL).digest}",
        "lang": get_language() or "",
        "label": label,
        "accent": widget.accent,
        "theme": widget.theme,
        "position": widget.position,
        **{name.replace("_", "-"): value for name, value in extra.items()},
    }
    return {
        "src": reverse("chatwidget:launcher"),
        "data": data,
        "page": f"{page}?widget={widget.key}",
        "label": label,
    }
