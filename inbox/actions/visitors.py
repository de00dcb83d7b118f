"""What happens to visitors: blocked, revoked, seen on a page, known by name."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from inbox.actions.merging import merge_guest
from inbox.database import retrying
from inbox.errors import CloseCode
from inbox.models import Visitor
from inbox.realtime.publish import publish_control
from inbox.texts import clip


def _block(*, visitor_id: int) -> None:
    """Take no more messages; open sockets close with 4499, wherever they are."""
    with transaction.atomic():
        Visitor.objects.filter(pk=visitor_id, blocked_at=None).update(blocked_at=timezone.now())
        _close_sockets(visitor_id, CloseCode.BLOCKED)


block = retrying(_block)


def _unblock(*, visitor_id: int) -> None:
    """Take messages again."""
    Visitor.objects.filter(pk=visitor_id).update(blocked_at=None)


unblock = retrying(_unblock)


def _revoke(*, visitor_id: int) -> None:
    """Make every token and ticket issued so far worthless; open sockets close with 4401."""
    with transaction.atomic():
        Visitor.objects.filter(pk=visitor_id).update(token_epoch=F("token_epoch") + 1)
        _close_sockets(visitor_id, CloseCode.UNAUTHORIZED)


revoke = retrying(_revoke)


def _visit_page(*, visitor_id: int, url: str, title: str = "") -> None:
    """Where the visitor is now: a claim of the browser, shown to operators, never trusted."""
    Visitor.objects.filter(pk=visitor_id).update(
        page_url=clip(url, 2000), page_title=clip(title, 300), last_seen_at=timezone.now()
    )


visit_page = retrying(_visit_page)


def _identify(
    *,
    widget_key: str,
    external_id: str,
    name: str = "",
    email: str = "",
    user_id: int | None = None,
    guest_id: int | None = None,
) -> Visitor:
    """The visitor of a person whom the host vouches for, made if they are new.

    A guest becomes that person: in place when nobody had that identity yet, else by handing
    over their conversations. The guest's open conversation becomes the one on the screen
    unless the person has an open one; then it stays in their list. Messages that the guest's
    browser sends again are still found, and the guest's tokens are worth nothing from then on.

    Args:
        external_id: ``user:<pk>`` or ``jwt:<sub>``.
        name, email: what the host says; empty changes nothing.
        guest_id: row id of the guest whose token was shown; a blocked one is left alone.
    """
    with transaction.atomic():
        person = Visitor.objects.filter(widget_key=widget_key, external_id=external_id).first()
        if person is None:
            person = _become_known(guest_id, widget_key, external_id) or Visitor.objects.create(
                widget_key=widget_key, external_id=external_id
            )
        elif guest_id is not None and guest_id != person.pk:
            merge_guest(guest_id=guest_id, person_id=person.pk)
            person.refresh_from_db()
        _note_claims(person, name=name, email=email, user_id=user_id)
    return person


identify = retrying(_identify)


def _become_known(guest_id: int | None, widget_key: str, external_id: str) -> Visitor | None:
    if guest_id is None:
        return None
    guest = (
        Visitor.objects.select_for_update()
        .filter(
            pk=guest_id,
            widget_key=widget_key,
            external_id="",
            merged_into=None,
            blocked_at=None,
        )
        .first()
    )
    if guest is not None:
        guest.external_id = external_id
        # Somebody else may have prepared the guest's token: it must not read what follows.
        guest.token_epoch += 1
        guest.save(update_fields=["external_id", "token_epoch"])
        _close_sockets(guest.pk, CloseCode.UNAUTHORIZED)
    return guest


def _note_claims(person: Visitor, *, name: str, email: str, user_id: int | None) -> None:
    claims = {"name": clip(name, 120), "email": email[:254], "user_id": user_id}
    changed = {
        field: value for field, value in claims.items() if value and getattr(person, field) != value
    }
    if changed:
        for field, value in changed.items():
            setattr(person, field, value)
        person.save(update_fields=list(changed))


def _close_sockets(visitor_id: int, code: CloseCode) -> None:
    transaction.on_commit(lambda: publish_control("visitor", id=visitor_id, close_code=int(code)))
