"""What an operator's open socket may see, asked again for all sockets of a process at once.

The list's queries ask the database each time (``visible_to``); a socket hears of changes by
itself, so its rights are kept in memory and renewed every few seconds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, get_user_model
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from inbox.models import Team

VIEW_INBOX = "frontdesk_inbox.view_inbox"
VIEW_ALL = "frontdesk_inbox.view_all"
MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"


@dataclass(frozen=True, slots=True)
class Sight:
    """The rights of one account, as ``visible_to`` would decide."""

    works: bool
    sees_all: bool = False
    teams: frozenset[int] = frozenset()

    def sees(self, team_id: int | None) -> bool:
        """Whether a conversation of this team is in sight."""
        return self.works and (self.sees_all or team_id is None or team_id in self.teams)


BLIND = Sight(works=False)


@dataclass(frozen=True, slots=True)
class Login:
    """The session behind a socket: it ends with the session or with the password."""

    user_id: Any
    session_key: str = ""
    password_hash: str = ""


def login_of(scope: dict[str, Any]) -> Login:
    """The login of a socket that went through ``AuthMiddlewareStack``."""
    session = scope.get("session")
    return Login(
        user_id=scope["user"].pk,
        session_key=getattr(session, "session_key", None) or "",
        password_hash=session.get(HASH_SESSION_KEY, "") if session is not None else "",
    )


def load_sights(logins: Collection[Login]) -> dict[Login, Sight]:
    """The present rights of many logins with a constant number of statements.

    A login whose session ended, whose password changed or whose account was closed is blind.
    """
    users = get_user_model()._default_manager.in_bulk([login.user_id for login in logins])
    working = _with_permission(users.values(), VIEW_INBOX)
    seeing_all = _with_permission(users.values(), VIEW_ALL)
    teams = _teams_of(users)
    sessions = _live_sessions(login.session_key for login in logins)
    sights: dict[Login, Sight] = {}
    for login in logins:
        user = users.get(login.user_id)
        if user is None or user.pk not in working or not _is_current(login, user, sessions):
            sights[login] = BLIND
        else:
            sights[login] = Sight(
                works=True,
                sees_all=user.pk in seeing_all,
                teams=frozenset(teams.get(user.pk, ())),
            )
    return sights


def _with_permission(users: Collection[Any], permission: str) -> set[Any]:
    if settings.AUTHENTICATION_BACKENDS == [MODEL_BACKEND]:
        holders = get_user_model()._default_manager.with_perm(permission)
        return set(holders.filter(pk__in=[u.pk for u in users]).values_list("pk", flat=True))
    # Other backends decide by rules of their own, which only they can be asked about.
    return {user.pk for user in users if user.is_active and user.has_perm(permission)}


def _teams_of(user_ids: Iterable[Any]) -> dict[Any, set[int]]:
    found: dict[Any, set[int]] = {}
    rows = Team.members.through.objects.filter(operator__user_id__in=list(user_ids))
    for user_id, team_id in rows.values_list("operator__user_id", "team_id"):
        found.setdefault(user_id, set()).add(team_id)
    return found


def _live_sessions(keys: Iterable[str]) -> set[str]:
    wanted = {key for key in keys if key}
    store = import_module(settings.SESSION_ENGINE).SessionStore
    if hasattr(store, "get_model_class"):
        rows = store.get_model_class().objects.filter(
            session_key__in=wanted, expire_date__gt=timezone.now()
        )
        return set(rows.values_list("session_key", flat=True))
    if settings.SESSION_ENGINE.endswith("signed_cookies"):
        return wanted  # there is nothing on the server that could have ended
    return {key for key in wanted if store(key).exists(key)}


def _is_current(login: Login, user: Any, sessions: set[str]) -> bool:
    if login.session_key and login.session_key not in sessions:
        return False
    if not login.password_hash:
        return True
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(login.password_hash, known) for known in hashes)
