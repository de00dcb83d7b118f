"""Every text the widget itself says, by key, for Django to translate.

``POST /session`` sends them as ``widget.strings`` in the visitor's language. Until they came, or
when the first request fails, a key speaks for itself ("no connection"). Words in braces are filled
in by the widget and stay as they are in every language.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

WIDGET_STRINGS: dict[str, _StrPromise] = {
    "open": _("Open chat"),
    "close": _("Close chat"),
    "log": _("Messages"),
    "write_a_message": _("Write a message…"),
    "write_new": _("Start a new conversation…"),
    "send": _("Send"),
    "stop": _("Stop the answer"),
    "sending": _("Sending"),
    "waiting": _("Waiting for the connection"),
    "sent": _("Sent"),
    "read": _("Read"),
    "not_sent": _("Not sent"),
    "retry": _("Try again"),
    "edit": _("Edit"),
    "earlier": _("Show earlier messages"),
    "today": _("Today"),
    "yesterday": _("Yesterday"),
    "newest": _("Jump to the newest message"),
    "new": _("New messages: {count}"),
    "you": _("You"),
    "bot": _("Bot"),
    "bot_line": _("Bot · asks a person when unsure"),
    "person_line": _("You are talking to {name}"),
    "queue_line": _("A person will be with you"),
    "typing": _("{name} is typing…"),
    "sources": _("Sources"),
    "copy": _("Copy"),
    "copied": _("Copied"),
    "removed": _("This message was removed"),
    "human": _("Talk to a person"),
    "back_to_bot": _("Back to the bot"),
    "queue": _("You are number {position} in the queue."),
    "queue_time": _("About {minutes} min."),
    "closed": _("This conversation is closed."),
    "rate": _("How did we do?"),
    "rate_1": _("Very bad"),
    "rate_2": _("Bad"),
    "rate_3": _("All right"),
    "rate_4": _("Good"),
    "rate_5": _("Very good"),
    "comment": _("Anything to add? (optional)"),
    "rate_send": _("Send rating"),
    "skip": _("Skip"),
    "thanks": _("Thank you for your rating."),
    "no_connection": _("No connection. Your messages are kept and sent later."),
    "retry_now": _("Retry now"),
    "not_available_here": _("The chat is not available here right now."),
    "left": _("Characters left: {count}"),
    "privacy": _("Privacy"),
    "sound": _("Sound for new messages"),
}
