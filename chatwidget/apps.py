"""App configuration of the widget."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from django.apps import AppConfig
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _


def require_our_inbox() -> None:
    """Stop with words a person can use when the project has a package ``inbox`` of its own.

    Ours would be hidden, its checks with it, and the first import of a model would fail
    without saying why.
    """
    found = find_spec("inbox")
    places = found.submodule_search_locations if found else None
    if Path(__file__).parent.with_name("inbox") not in {Path(place) for place in places or []}:
        raise ImproperlyConfigured(
            "The package 'inbox' that Python imports is not Frontdesk's. "
            "Rename your own package 'inbox', or move it into your project's package."
        )


require_our_inbox()


class ChatwidgetConfig(AppConfig):
    """Registers the widget's app."""

    name = "chatwidget"
    label = "frontdesk_chatwidget"
    verbose_name = _("Frontdesk widget")
    default_auto_field = "django.db.models.BigAutoField"
    frontdesk: ClassVar[dict[str, list[str]]] = {
        "doctor_checks": ["chatwidget.doctor.check_widgets"],
    }

    def ready(self) -> None:
        """Register the system checks."""
        # Not before: they import models.
        from chatwidget import checks  # noqa: F401, PLC0415
