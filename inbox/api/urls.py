"""Addresses of the REST interface, under ``/api/v1/``."""

from __future__ import annotations

from django.urls import path, re_path

from inbox.api import conversations, desk, transitions, visitors

app_name = "inbox-api"

ONE = "conversations/<uuid:conversation_id>/"

urlpatterns = [
    path("", desk.Root.as_view(), name="root"),
    path("conversations/", conversations.ConversationList.as_view(), name="conversations"),
    path(ONE, conversations.ConversationDetail.as_view(), name="conversation"),
    path(f"{ONE}events/", conversations.EventList.as_view(), name="events"),
    path(f"{ONE}messages/", conversations.MessageList.as_view(), name="messages"),
    path(f"{ONE}take/", transitions.Take.as_view(), name="take"),
    path(f"{ONE}assign/", transitions.Assign.as_view(), name="assign"),
    path(f"{ONE}transfer/", transitions.Transfer.as_view(), name="transfer"),
    path(f"{ONE}handback/", transitions.HandBack.as_view(), name="handback"),
    path(f"{ONE}close/", transitions.Close.as_view(), name="close"),
    path(f"{ONE}reopen/", transitions.Reopen.as_view(), name="reopen"),
    path(f"{ONE}snooze/", transitions.Snooze.as_view(), name="snooze"),
    path(f"{ONE}read/", transitions.Read.as_view(), name="read"),
    path(f"{ONE}tag/", transitions.AddTag.as_view(), name="tag"),
    path(f"{ONE}untag/", transitions.RemoveTag.as_view(), name="untag"),
    path("visitors/<uuid:visitor_id>/block/", visitors.Block.as_view(), name="block"),
    path("visitors/<uuid:visitor_id>/unblock/", visitors.Unblock.as_view(), name="unblock"),
    path("visitors/<uuid:visitor_id>/revoke/", visitors.Revoke.as_view(), name="revoke"),
    path("counters/", desk.Counters.as_view(), name="counters"),
    path("unread/", desk.Unread.as_view(), name="unread"),
    path("presence/", desk.Presence.as_view(), name="presence"),
    path("operators/", desk.Operators.as_view(), name="operators"),
    path("teams/", desk.Teams.as_view(), name="teams"),
    path("tags/", desk.Tags.as_view(), name="tags"),
    path("canned-replies/", desk.CannedReplies.as_view(), name="canned-replies"),
    # Whoever speaks to the interface is answered in JSON, also about an id that cannot be one.
    re_path(r"^.*/$", desk.Missing.as_view(), name="missing"),
]
