"""App configuration of the bots; it declares what the inbox may call."""

from __future__ import annotations

from typing import ClassVar

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BotsConfig(AppConfig):
    """Registers the bots under a label that cannot collide with a host's own ``bots``."""

    name = "bots"
    label = "frontdesk_bots"
    verbose_name = _("Frontdesk bots")
    default_auto_field = "django.db.models.BigAutoField"
    frontdesk: ClassVar[dict[str, list[str]]] = {
        "responders": ["bots.responder.BotResponder"],
        "work_sources": ["bots.work.TurnSource"],
        "answer_sources": ["bots.answer_source.BotAnswers"],
        "closers": ["bots.backends.close_backends"],
        "tracers": ["bots.tracing.trace_urls"],
        "doctor_checks": ["bots.doctor.check_bots"],
    }

    def ready(self) -> None:
        """Register checks and the engine's job."""
        # Not before: both import models.
        from bots import checks  # noqa: F401, PLC0415
        from bots.dispatchers import engine  # noqa: PLC0415

        engine.register()
