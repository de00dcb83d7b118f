"""Everything that can go wrong on the answering side: a stable code, a text safe to show.

    BotError
    ├── BackendError      one attempt at an answer failed; says whether another may succeed
    └── ToolError         a tool refused a call; its text goes back to the model

Details (a provider's reply, an address) are for the log and never part of the text.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "backend_unreachable": _("The answering service cannot be reached at the moment."),
    "backend_timeout": _("The answering service took too long."),
    "backend_rate_limited": _("The answering service is busy; please try again in a moment."),
    "backend_quota": _("The answering service is not available at the moment."),
    "backend_unauthorized": _("The answering service is not available at the moment."),
    "backend_model_unknown": _("The answering service is not available at the moment."),
    "backend_bad_request": _("The answering service could not read the question."),
    "backend_misconfigured": _("The answering service is not set up."),
    "backend_unavailable": _("The answering service has trouble at the moment."),
    "previous_response_unknown": _("The answering service could not read the question."),
    "context_too_long": _("This conversation has become too long for the answering service."),
    "answer_cut": _("The answer broke off."),
    "answer_unreadable": _("The answering service sent something that cannot be read."),
    "answer_empty": _("The answering service had nothing to say."),
    "answer_refused": _("The answering service would not answer this."),
    "answer_filtered": _("The answering service would not answer this."),
    "answer_too_long": _("The answer became too long."),
    "unknown_backend": _("The answering service is not set up."),
    "unknown_tool": _("There is no tool of this name."),
    "invalid_arguments": _("The tool cannot be used like this."),
    "tool_denied": _("This tool may not be used here."),
    "tool_failed": _("The tool failed."),
    "tool_timeout": _("The tool took too long."),
    "tool_interrupted": _("A tool that changes something broke off; it is not called twice."),
    "worker_lost": _("The answer was begun too often without an end."),
    "limit_visitor": _("This visitor's answers of a day are used up."),
    "limit_turns": _("The bot's answers of a day are used up."),
    "limit_tokens": _("The bot's tokens of a day are used up."),
}
"""Code → text safe to show to people. ``docs/reference/errors.md`` lists each."""


class BotError(Exception):
    """A failure with a stable code.

    Attributes:
        code: machine word, a key of ``MESSAGES``.
        retryable: whether the same attempt may succeed later.
        retry_after: seconds the other side asked to wait, None when it did not say.
        details: for the log only; never shown to a visitor.
    """

    def __init__(
        self,
        code: str,
        details: str = "",
        *,
        retryable: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{code}: {details}" if details else code)
        self.code = code
        self.details = details
        self.retryable = retryable
        self.retry_after = retry_after

    @property
    def message(self) -> str:
        """The text for people, in the active language."""
        return str(MESSAGES.get(self.code, self.code))


class BackendError(BotError):
    """One attempt at an answer failed.

    ``shorten`` asks the caller to try once more with ``prompt.shortened(ask)``: the request was
    longer than the model's context.
    """

    def __init__(
        self,
        code: str,
        details: str = "",
        *,
        retryable: bool = False,
        retry_after: float | None = None,
        shorten: bool = False,
    ) -> None:
        super().__init__(code, details, retryable=retryable, retry_after=retry_after)
        self.shorten = shorten


class ToolError(BotError):
    """A tool refused. Host tools may raise it: ``details`` is what the model is told."""

    def __init__(self, details: str, *, code: str = "tool_failed") -> None:
        super().__init__(code, details)
