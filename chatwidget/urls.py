"""Addresses of the widget; include them at the root: ``path("", include("chatwidget.urls"))``."""

from __future__ import annotations

from django.urls import path

from chatwidget.views import answers, assets, page, reading, session, writing

app_name = "chatwidget"

urlpatterns = [
    path("chat/", page.page, name="page"),
    path("chat/session", session.session, name="session"),
    path("chat/events", reading.events, name="events"),
    path("chat/messages", writing.messages, name="messages"),
    path("chat/frames", writing.frames, name="frames"),
    path("chat/conversations", reading.conversations, name="conversations"),
    path(
        "chat/conversations/<uuid:conversation_id>/events",
        reading.conversation_events,
        name="conversation-events",
    ),
    path("chat/unread", reading.unread, name="unread"),
    path("chat/widget.js", assets.launcher, name="launcher"),
    path("chat/panel.js", assets.panel, name="panel"),
    # Whatever else a client asks for is refused in JSON, as everything here.
    path("chat/<path:anything>", reading.nothing, name="nothing"),
    path("api/chatbot", answers.chatbot, name="chatbot"),
]
