"""Reading conversations and writing into them."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import prefetch_related_objects
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from inbox import lists
from inbox.actions.posting import Draft, OperatorSender, Posted, post
from inbox.api import serializers as shapes
from inbox.api.base import InboxView
from inbox.api.schema import described
from inbox.errors import InboxError, RefusedError
from inbox.models import Conversation
from inbox.realtime.records import PAGE_SIZE, PageRequest, Record, load_pages, timestamp

REFUSALS = {
    400: shapes.RefusalSerializer,
    401: shapes.RefusalSerializer,
    403: shapes.RefusalSerializer,
    404: shapes.RefusalSerializer,
    409: shapes.RefusalSerializer,
    413: shapes.RefusalSerializer,
    429: shapes.RefusalSerializer,
    503: shapes.RefusalSerializer,
}
"""What any endpoint may answer instead."""


class ConversationList(InboxView):
    """Conversations the caller may see, the latest activity first."""

    @described(
        operation_id="conversations_list",
        parameters=[
            OpenApiParameter("view", OpenApiTypes.STR, enum=lists.VIEWS),
            OpenApiParameter("search", OpenApiTypes.STR),
            OpenApiParameter("cursor", OpenApiTypes.STR),
        ],
        responses={200: shapes.PageSerializer, **REFUSALS},
    )
    def get(self, request: Request) -> Response:
        """One page; `next` is the cursor of the following one."""
        page = lists.conversation_page(
            request.user,
            view=request.query_params.get("view", ""),
            search=request.query_params.get("search", ""),
            cursor=request.query_params.get("cursor", ""),
        )
        prefetch_related_objects(page.results, "tags")
        rows = shapes.ConversationSerializer(page.results, many=True).data
        return Response({"results": rows, "next": page.next})


class ConversationDetail(InboxView):
    """One conversation."""

    @described(
        operation_id="conversations_retrieve",
        responses={200: shapes.ConversationSerializer, **REFUSALS},
    )
    def get(self, request: Request, conversation_id: uuid.UUID) -> Response:
        """Its present state; its words are its events."""
        found = self.conversation(conversation_id)
        return Response(shapes.ConversationSerializer(found).data)


class EventList(InboxView):
    """The journal of a conversation in operators' numbering."""

    @described(
        operation_id="conversations_events",
        parameters=[OpenApiParameter("since", OpenApiTypes.INT)],
        responses={200: shapes.EventsSerializer, **REFUSALS},
    )
    def get(self, request: Request, conversation_id: uuid.UUID) -> Response:
        """Durable frames after `since`, in order; `next` is the `since` of the next page.

        Nothing can follow a `since` beyond the head: then `reset` tells to start again.
        """
        conversation = self.conversation(conversation_id)
        since = _since(request.query_params.get("since", "0"))
        records = events_since(conversation, since)
        if not records and since > conversation.head:
            body = {"head": conversation.head, "results": [], "next": None, "reset": "ahead"}
            return Response(body)
        last = records[-1].seq if records else since
        more = len(records) == PAGE_SIZE and last < conversation.head
        return Response(
            {
                "head": max(conversation.head, last),
                "results": [record.frame("operator") for record in records],
                "next": str(last) if more else None,
            }
        )


class MessageList(InboxView):
    """An operator's words: replies for the visitor, notes for colleagues."""

    @described(
        operation_id="conversations_send",
        request=shapes.SendSerializer,
        responses={200: shapes.SentSerializer, 201: shapes.SentSerializer, **REFUSALS},
    )
    def post(self, request: Request, conversation_id: uuid.UUID) -> Response:
        """Store a message: 201, or 200 for one that was stored before."""
        conversation = self.conversation(conversation_id)
        wanted = self.read(shapes.SendSerializer)
        draft = Draft(
            sender=OperatorSender(operator_id=self.operator.pk),
            conversation_id=conversation_id,
            client_id=wanted["client_id"],
            content=wanted["content"],
            kind=wanted["kind"],
            attachments=tuple(wanted.get("attachments") or ()),
            expected_seq=wanted.get("expected_seq"),
        )
        try:
            posted = post(draft)
        except InboxError as error:
            raise _with_what_came(error, conversation, draft) from None
        return Response(_sent(posted), status=200 if posted.duplicate else 201)


def events_since(conversation: Conversation, since: int) -> list[Record]:
    """Up to ``PAGE_SIZE`` records after ``since``."""
    return load_pages(
        [PageRequest(conversation_id=conversation.pk, audience="operator", since=since)]
    )[0]


def _with_what_came(error: InboxError, conversation: Conversation, draft: Draft) -> InboxError:
    """A ``stale`` refusal carries what the operator had not read when writing."""
    if error.code == "stale" and draft.expected_seq is not None:
        records = events_since(conversation, draft.expected_seq)
        error.extra = {"events": [record.frame("operator") for record in records]}
    return error


def _sent(posted: Posted) -> dict[str, Any]:
    return {
        "client_id": posted.client_id,
        "id": str(posted.id),
        "seq": posted.seq,
        "timestamp": timestamp(posted.timestamp),
    }


def _since(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        raise RefusedError("invalid_field", field="since")
    return int(text)
