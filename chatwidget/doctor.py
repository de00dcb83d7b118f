"""What ``frontdesk doctor`` proves of the widgets."""

from __future__ import annotations

from collections.abc import Iterator

from chatwidget.look import find_bot_name
from chatwidget.models import DEFAULT_KEY, Widget
from inbox.ports import Finding

RESTORE = "Add it in the admin under Widgets, with exactly this key."


def check_widgets() -> Iterator[Finding]:
    """The site's own widget is there, and every widget has somebody who answers."""
    widgets = list(Widget.objects.filter(enabled=True))
    own = any(widget.key == DEFAULT_KEY for widget in widgets)
    yield Finding(
        ok=own,
        title="Widget",
        detail=(
            f"{len(widgets)} switched on."
            if own
            else f"“{DEFAULT_KEY}” is missing or off: {{% chatwidget %}} shows nothing."
        ),
        fix=RESTORE,
    )
    for widget in widgets:
        if widget.bot_key and find_bot_name(widget.bot_key) is None:
            yield Finding(
                ok=False,
                title=f"Widget {widget.key}",
                detail=f"Its bot “{widget.bot_key}” is not switched on: only people answer.",
                fix="Switch the bot on in the admin, or leave the widget's field empty.",
            )
