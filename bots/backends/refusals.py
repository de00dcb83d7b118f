"""What a provider's refusal means for us: one table for HTTP statuses and error events."""

from __future__ import annotations

import re

from bots.errors import BackendError

TOO_LONG_CODES = {"context_length_exceeded", "string_above_max_length", "request_too_large"}
TOO_LONG = re.compile(
    r"context.{0,10}(length|window|size)|maximum context|too many (input )?tokens|"
    r"prompt is too long|exceed\w* .{0,40}(context|token)",
    re.IGNORECASE,
)
QUOTA = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"}
FILTERED = {"content_filter", "content_policy_violation", "invalid_prompt"}
RETRYABLE_STATUSES = {408, 409, 425, 500, 502, 503, 504, 520, 522, 524, 529}

KEY = re.compile(r"\b(sk|pk|key|Bearer)[-_ ][A-Za-z0-9_*.\-]{6,}")


def refusal(
    *,
    code: str,
    kind: str = "",
    param: str = "",
    details: str = "",
    status: int = 0,
    retry_after: float | None = None,
) -> BackendError:
    """The error for a provider's answer; ``status`` is 0 for an error inside a stream."""
    words = {code, kind}
    if words & QUOTA:
        return BackendError("backend_quota", details)
    if status == 429 or (not status and any("rate_limit" in word for word in words)):
        return BackendError(
            "backend_rate_limited", details, retryable=True, retry_after=retry_after
        )
    if words & TOO_LONG_CODES or status == 413 or (status in {0, 400} and TOO_LONG.search(details)):
        return BackendError("context_too_long", details, retryable=True, shorten=True)
    if words & FILTERED:
        return BackendError("answer_filtered", details)
    if param == "previous_response_id" or code == "previous_response_not_found":
        return BackendError("previous_response_unknown", details, retryable=True)
    return _by_status(status, details, retry_after)


def _by_status(status: int, details: str, retry_after: float | None) -> BackendError:
    if status in {401, 403}:
        return BackendError("backend_unauthorized", details)
    if status == 404:
        return BackendError("backend_model_unknown", details)
    if status in RETRYABLE_STATUSES or status >= 500 or status == 0:
        return BackendError("backend_unavailable", details, retryable=True, retry_after=retry_after)
    if 300 <= status < 400:
        return BackendError("backend_misconfigured", details)
    return BackendError("backend_bad_request", details)


def without_secrets(details: str, api_key: str) -> str:
    """At most 300 characters for the log, without anything that looks like a key."""
    if api_key:
        details = details.replace(api_key, "***")
    return KEY.sub("***", details)[:300]
