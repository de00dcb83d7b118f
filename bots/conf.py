"""Settings of the bots, read when used so that overriding them in a test works."""

from __future__ import annotations

from typing import Any

from inbox.host_settings import HostSettings


class BotsSettings(HostSettings):
    """One typed property per setting; the docstring is its documentation."""

    prefix = "BOTS_"

    @property
    def BACKEND(self) -> str:
        """Alias of the backend that bots use unless they name another."""
        return str(self._get("BACKEND", "offline"))

    @property
    def BACKENDS(self) -> dict[str, dict[str, Any]]:
        """More backends: alias → ``{"BACKEND": dotted path, "OPTIONS": {...}}``."""
        return dict(self._get("BACKENDS", {}))

    @property
    def MODEL(self) -> str:
        """Model name sent to the provider; there is no default, models retire."""
        return str(self._get("MODEL", ""))

    @property
    def API_KEY(self) -> str:
        """The provider's key; empty for servers that want none."""
        return str(self._get("API_KEY", ""))

    @property
    def BASE_URL(self) -> str:
        """Address of the provider's API, ``/v1`` included; empty for OpenAI's own."""
        return str(self._get("BASE_URL", ""))

    @property
    def CONNECT_SECONDS(self) -> float:
        """Longest wait for a connection to the provider, name look-up and TLS included."""
        return float(self._get("CONNECT_SECONDS", 5))

    @property
    def FIRST_TOKEN_SECONDS(self) -> float:
        """Longest wait from sending the question to the first word of the answer."""
        return float(self._get("FIRST_TOKEN_SECONDS", 20))

    @property
    def IDLE_SECONDS(self) -> float:
        """Longest silence within an answer."""
        return float(self._get("IDLE_SECONDS", 15))

    @property
    def TOTAL_SECONDS(self) -> float:
        """Longest duration of one attempt at an answer."""
        return float(self._get("TOTAL_SECONDS", 90))

    @property
    def MAX_OUTPUT_TOKENS(self) -> int:
        """Longest answer in tokens that a provider is asked for."""
        return int(self._get("MAX_OUTPUT_TOKENS", 4000))

    @property
    def MAX_ANSWER_BYTES(self) -> int:
        """Longest answer in bytes of UTF-8 that is accepted, and so the longest delta."""
        return int(self._get("MAX_ANSWER_BYTES", 64 * 1024))

    @property
    def HISTORY_MESSAGES(self) -> int:
        """How many earlier messages a model is shown at most."""
        return int(self._get("HISTORY_MESSAGES", 30))

    @property
    def HISTORY_CHARS(self) -> int:
        """How many code points of earlier messages a model is shown at most."""
        return int(self._get("HISTORY_CHARS", 24_000))

    @property
    def TOOLS(self) -> list[str]:
        """Dotted paths of the host's functions that bots may call."""
        return list(self._get("TOOLS", []))

    @property
    def TOOL_SECONDS(self) -> float:
        """Longest run of one tool call."""
        return float(self._get("TOOL_SECONDS", 10))

    @property
    def TOOL_RESULT_BYTES(self) -> int:
        """Longest tool result in bytes of UTF-8 that a model is shown; the rest is cut."""
        return int(self._get("TOOL_RESULT_BYTES", 16_000))

    @property
    def TOOL_ARGUMENT_BYTES(self) -> int:
        """Longest arguments of a tool call in bytes of UTF-8."""
        return int(self._get("TOOL_ARGUMENT_BYTES", 16_000))

    @property
    def TOOL_THREADS(self) -> int:
        """How many synchronous tools run at once per process."""
        return int(self._get("TOOL_THREADS", 16))

    @property
    def DISPATCHER(self) -> str:
        """Who runs turns: ``embedded`` in server processes, ``worker`` or ``procrastinate``."""
        return str(self._get("DISPATCHER", "embedded"))

    @property
    def CONCURRENCY(self) -> int:
        """Turns that one process runs at once."""
        return int(self._get("CONCURRENCY", 100))

    @property
    def LEASE_SECONDS(self) -> float:
        """After this long without a sign of life a turn's worker counts as dead."""
        return float(self._get("LEASE_SECONDS", 15))

    @property
    def FLUSH_MS(self) -> int:
        """Milliseconds for which deltas are collected before they are sent."""
        return int(self._get("FLUSH_MS", 30))

    @property
    def ATTEMPTS(self) -> int:
        """How often a turn is tried when its backend fails in a way that may pass."""
        return max(1, int(self._get("ATTEMPTS", 3)))

    @property
    def RETRY_SECONDS(self) -> float:
        """No further attempt begins this long after the first, nor is one waited for longer."""
        return float(self._get("RETRY_SECONDS", 20))

    @property
    def TOOL_ROUNDS(self) -> int:
        """How often a model may ask for tools within one turn."""
        return int(self._get("TOOL_ROUNDS", 8))

    @property
    def CIRCUIT_FAILURES(self) -> int:
        """After this many failures of the backend in a minute and nothing else, visitors go to
        people until the minute is over; 0 switches that off."""
        return int(self._get("CIRCUIT_FAILURES", 20))

    @property
    def SITE_NAME(self) -> str:
        """How bots call the site."""
        return str(self._get("SITE_NAME", ""))

    @property
    def SCRIPTED_TOKENS(self) -> int:
        """Words per answer of the ``scripted`` backend."""
        return int(self._get("SCRIPTED_TOKENS", 40))

    @property
    def SCRIPTED_RATE(self) -> float:
        """Words per second of the ``scripted`` backend; 0 for no pause between them."""
        return float(self._get("SCRIPTED_RATE", 50))

    @property
    def ARTICLE_URL(self) -> str:
        """Template of an article's address, such as ``/help/{language}/{key}/``; may be empty."""
        return str(self._get("ARTICLE_URL", ""))

    @property
    def MIN_SCORE(self) -> float:
        """Passages that match worse than this (0 to 1) are not used; the bot then says so."""
        return float(self._get("MIN_SCORE", 0.42))

    @property
    def PASSAGES(self) -> int:
        """How many passages an answer may be made from at most."""
        return int(self._get("PASSAGES", 5))

    @property
    def SYNONYMS(self) -> list[list[str]]:
        """Groups of words or phrases, of any languages, that the search takes for one another."""
        return [list(group) for group in self._get("SYNONYMS", [])]

    @property
    def OFFLINE_TOKENS_PER_SECOND(self) -> float:
        """Words per second of the ``offline`` backend; 0 for the whole answer at once."""
        return float(self._get("OFFLINE_TOKENS_PER_SECOND", 120))


bots_settings = BotsSettings()
