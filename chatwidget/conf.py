"""Settings of the widget, read when used so that overriding them in a test works."""

from __future__ import annotations

from inbox.host_settings import HostSettings


class ChatwidgetSettings(HostSettings):
    """One typed property per setting; the docstring is its documentation."""

    prefix = "CHATWIDGET_"

    @property
    def RATE_FACTOR(self) -> float:
        """Factor on every rate limit of visitors, 1 by default; load proofs raise it."""
        return float(self._get("RATE_FACTOR", 1.0))

    @property
    def GUEST_TOKEN_DAYS(self) -> int:
        """Days after its last use for which a guest's browser is known again."""
        return int(self._get("GUEST_TOKEN_DAYS", 365))

    @property
    def KNOWN_TOKEN_HOURS(self) -> int:
        """Hours for which a known person's token lives without a new ``/session``."""
        return int(self._get("KNOWN_TOKEN_HOURS", 12))

    @property
    def TICKET_SECONDS(self) -> int:
        """Seconds in which a ticket must have opened its socket; at most 60."""
        return int(self._get("TICKET_SECONDS", 60))

    @property
    def LONG_POLL_SECONDS(self) -> float:
        """Seconds for which ``GET events`` waits for something new; at most 25."""
        return float(self._get("LONG_POLL_SECONDS", 25.0))

    @property
    def MAX_SOCKETS(self) -> int:
        """Sockets that one visitor may hold in one server process."""
        return int(self._get("MAX_SOCKETS", 10))

    @property
    def SITE_USERS(self) -> bool:
        """Whether the site's signed-in user is known to the widget without a signed identity."""
        return bool(self._get("SITE_USERS", default=True))


chatwidget_settings = ChatwidgetSettings()
