"""Words of the operators' page that its script or its tables need."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

SCRIPT_TEXTS = {
    "connected": gettext_lazy("Live"),
    "connecting": gettext_lazy("Connecting…"),
    "offline": gettext_lazy("Offline: what you send waits"),
    "stopped": gettext_lazy("Disconnected: reload the page"),
    "typing": gettext_lazy("{name} is typing"),
    "bot_typing": gettext_lazy("The bot is looking for an answer"),
    "bot": gettext_lazy("Bot"),
    "note": gettext_lazy("Private note"),
    "sending": gettext_lazy("Sending…"),
    "not_sent": gettext_lazy("Not sent"),
    "retry": gettext_lazy("Try again"),
    "send_anyway": gettext_lazy("Send anyway"),
    "stale": gettext_lazy("Something was written meanwhile. Read it first."),
    "failed": gettext_lazy("It did not work; please try again."),
    "no_answer": gettext_lazy("The server does not answer; please try again."),
    "closed": gettext_lazy("Closed."),
    "reopened": gettext_lazy("Reopened."),
    "taken": gettext_lazy("{name} answers this. Take it over anyway?"),
    "take_anyway": gettext_lazy("Take over"),
    "snoozed": gettext_lazy("Snoozed."),
    "transferred": gettext_lazy("Transferred."),
    "handed_back": gettext_lazy("The bot answers again."),
    "gone": gettext_lazy("This conversation went out of your sight."),
    "undo": gettext_lazy("Undo"),
    "new_one": gettext_lazy("1 new conversation"),
    "new_many": gettext_lazy("{count} new conversations"),
    "new_messages": gettext_lazy("New messages"),
    "notified": gettext_lazy("You will be told of new messages."),
    "not_notified": gettext_lazy("The browser blocks notifications for this site."),
    "unread": gettext_lazy("unread"),
    "today": gettext_lazy("Today"),
    "yesterday": gettext_lazy("Yesterday"),
    "now": gettext_lazy("now"),
    "no_canned": gettext_lazy("No prepared reply begins like this."),
    "draft": gettext_lazy("Draft"),
    "discard": gettext_lazy("Discard"),
    "older": gettext_lazy("Older conversations"),
    "copy": gettext_lazy("Copy"),
    "copied": gettext_lazy("Copied"),
}
"""Read by ``inbox.js``; ``{…}`` is filled there."""


def view_titles() -> dict[str, str]:
    """The views in the order of the page."""
    return {
        "mine": _("Mine"),
        "unassigned": _("Unassigned"),
        "all": _("All open"),
        "bot": _("Bot"),
        "snoozed": _("Snoozed"),
        "closed": _("Closed"),
    }


def shortcuts() -> list[tuple[list[str], str]]:
    """Every key of the page; ``inbox.js`` acts on the same ones."""
    return [
        (["j", "k"], _("Next and previous conversation")),
        (["r"], _("Reply")),
        (["n"], _("Private note")),
        (["t"], _("Take over")),
        (["e"], pgettext("conversation", "Close")),
        (["s"], _("Snooze")),
        (["/"], _("Search; in an empty message: prepared replies")),
        (["u"], _("Back to the list")),
        (["Ctrl", "↵"], _("Send")),
        (["Esc"], _("Leave the field, close what is open")),
        (["?"], _("This help")),
    ]
