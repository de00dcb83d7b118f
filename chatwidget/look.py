"""How a widget presents itself to one visitor: look, texts and what it can do."""

from __future__ import annotations

from typing import Any

from django.utils import timezone, translation

from chatwidget.models import Widget, WidgetText
from chatwidget.widget_strings import WIDGET_STRINGS
from inbox.conf import inbox_settings
from inbox.models import Operator
from inbox.ports import answer_sources


def widget_look(widget: Widget, locale: str) -> dict[str, Any]:
    """The ``widget`` of ``POST session``; asks the database."""
    text = find_text(widget, locale)
    bot_name = find_bot_name(widget.bot_key)
    with translation.override(locale):
        return {
            "key": widget.key,
            "name": text.name or widget.name,
            "greeting": text.greeting or widget.greeting,
            "starters": text.starters or widget.starters,
            "accent": widget.accent,
            "position": widget.position,
            "theme": widget.theme,
            "locale": locale,
            "dir": "rtl" if translation.get_language_bidi() else "ltr",
            "online": is_online(widget),
            "reply_time": text.reply_time or widget.reply_time,
            "bot_name": bot_name,
            "avatar": widget.avatar_url or None,
            "privacy_url": widget.privacy_url or None,
            "strings": {key: str(words) for key, words in WIDGET_STRINGS.items()},
            "features": features(widget, has_bot=bot_name is not None),
        }


def features(widget: Widget, *, has_bot: bool) -> dict[str, bool]:
    """What this widget offers; nothing is offered that would do nothing."""
    return {
        "human": widget.human,
        "upload": False,
        "sources": widget.sources,
        "rating": widget.rating,
        "sound": widget.sound,
        "stop": has_bot,
    }


def find_text(widget: Widget, locale: str) -> WidgetText:
    """The texts of this language or of its base (``pt`` for ``pt-br``); empty when none."""
    texts = {text.language.lower(): text for text in widget.texts.all()}
    language = locale.lower()
    return texts.get(language) or texts.get(language.partition("-")[0]) or WidgetText()


def find_bot_name(bot_key: str) -> str | None:
    """The name of the widget's bot; None when people answer."""
    names = (source.bot_name(bot_key) for source in answer_sources() if bot_key)
    return next((name for name in names if name is not None), None)


def is_online(widget: Widget) -> bool:
    """Whether somebody who may answer this widget is at the desk now."""
    present = Operator.objects.present(timezone.now(), inbox_settings.PRESENCE_LEASE_SECONDS)
    if widget.team_id is not None:
        present = present.filter(teams=widget.team_id)
    return present.exists()
