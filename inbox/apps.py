"""App configuration of the core; it knows neither the widget nor the bots."""

from __future__ import annotations

from typing import ClassVar

from django.apps import AppConfig, apps
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _


def refuse_foreign_widget() -> None:
    """Stop with words a person can use when another package ``chatwidget`` hides ours.

    There is one on the package index. The system check for this would come too late: before
    it runs, the URL configuration fails to import.
    """
    for config in apps.get_app_configs():
        if config.name == "chatwidget" and config.label != "frontdesk_chatwidget":
            raise ImproperlyConfigured(
                "The package 'chatwidget' that Python imports is not Frontdesk's. "
                "Rename your own package 'chatwidget', or uninstall the other distribution."
            )


class InboxConfig(AppConfig):
    """Registers the inbox under a label that cannot collide with a host's own ``inbox``."""

    name = "inbox"
    label = "frontdesk_inbox"
    verbose_name = _("Frontdesk inbox")
    default_auto_field = "django.db.models.BigAutoField"
    frontdesk: ClassVar[dict[str, list[str]]] = {
        "work_sources": [
            "inbox.webhooks.source.WebhookSource",
            "inbox.assignment.sweeps.Sweeps",
        ],
    }

    def ready(self) -> None:
        """Register the system checks."""
        refuse_foreign_widget()
        # Not before: they import models.
        from inbox import checks  # noqa: F401, PLC0415
