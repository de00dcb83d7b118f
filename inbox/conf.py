"""Settings of the core, read when used so that overriding them in a test works."""

from __future__ import annotations

from inbox.host_settings import HostSettings


class InboxSettings(HostSettings):
    """One typed property per setting; the docstring is its documentation."""

    prefix = "INBOX_"

    @property
    def RESPONDERS(self) -> list[str]:
        """Dotted paths of responders beside those that installed apps declare."""
        return list(self._get("RESPONDERS", []))

    @property
    def WORK_SOURCES(self) -> list[str]:
        """Dotted paths of work sources beside those that installed apps declare."""
        return list(self._get("WORK_SOURCES", []))

    @property
    def DOCTOR_CHECKS(self) -> list[str]:
        """Dotted paths of doctor checks beside those that installed apps declare."""
        return list(self._get("DOCTOR_CHECKS", []))

    @property
    def PANELS(self) -> list[str]:
        """Dotted paths of panels shown beside a conversation."""
        return list(self._get("PANELS", []))

    @property
    def ANSWER_SOURCES(self) -> list[str]:
        """Dotted paths of answer sources beside those that installed apps declare."""
        return list(self._get("ANSWER_SOURCES", []))

    @property
    def CHANNEL_LAYER(self) -> str:
        """Alias in ``CHANNEL_LAYERS`` that carries frames between processes."""
        return str(self._get("CHANNEL_LAYER", "default"))

    @property
    def MAX_MESSAGE_CHARS(self) -> int:
        """Longest message in Unicode code points."""
        return int(self._get("MAX_MESSAGE_CHARS", 4000))

    @property
    def MAX_FRAME_BYTES(self) -> int:
        """Largest client frame in bytes that is read; larger ones are refused."""
        return int(self._get("MAX_FRAME_BYTES", 20 * 1024))

    @property
    def CLOSE_FRAME_BYTES(self) -> int:
        """A client frame above this many bytes closes the socket with 4009."""
        return int(self._get("CLOSE_FRAME_BYTES", 64 * 1024))

    @property
    def HEARTBEAT_SECONDS(self) -> int:
        """Seconds between two heartbeat frames; at most 30."""
        return min(30, int(self._get("HEARTBEAT_SECONDS", 25)))

    @property
    def HEAD_POLL_SECONDS(self) -> float:
        """How often a process looks for events whose hint was lost."""
        return float(self._get("HEAD_POLL_SECONDS", 2.0))

    @property
    def PRESENCE_LEASE_SECONDS(self) -> int:
        """An operator without a sign of life for this long counts as gone."""
        return int(self._get("PRESENCE_LEASE_SECONDS", 60))

    @property
    def SEND_BUDGET_BYTES(self) -> int:
        """Bytes that may wait for one slow reader before deltas and then the socket go."""
        return int(self._get("SEND_BUDGET_BYTES", 1024 * 1024))

    @property
    def RATE_FACTOR(self) -> float:
        """Factor on every rate limit; benchmarks raise it."""
        return float(self._get("RATE_FACTOR", 1.0))

    @property
    def TRUSTED_PROXIES(self) -> list[str]:
        """Addresses or networks whose ``X-Forwarded-For`` and ``-Proto`` count."""
        return list(self._get("TRUSTED_PROXIES", []))

    @property
    def HUMAN_KEYWORDS(self) -> list[str]:
        """Words in a visitor's message that count as asking for a person."""
        return list(self._get("HUMAN_KEYWORDS", []))

    @property
    def PEOPLE_FIRST(self) -> str:
        """Whose conversations begin with a person while the team is open and somebody is there:
        ``nobody``'s, those of ``verified`` visitors, or ``everyone``'s."""
        return str(self._get("PEOPLE_FIRST", "nobody"))

    @property
    def ROUTER(self) -> str:
        """Dotted path of the function ``RoutingFacts`` → ``Route`` that decides who answers."""
        return str(self._get("ROUTER", "inbox.assignment.router.decide"))

    @property
    def RUNNER(self) -> bool:
        """Whether server processes run due work themselves (turns depend on the dispatcher)."""
        return bool(self._get("RUNNER", default=True))

    @property
    def WEBHOOK_TIMEOUT_SECONDS(self) -> float:
        """Seconds that a receiver of webhooks has for its whole answer."""
        return float(self._get("WEBHOOK_TIMEOUT_SECONDS", 15.0))

    @property
    def WEBHOOK_PRIVATE_NETWORKS(self) -> list[str]:
        """Networks that webhooks may go to although they are not public, such as 10.1.0.0/16."""
        return list(self._get("WEBHOOK_PRIVATE_NETWORKS", []))


inbox_settings = InboxSettings()
