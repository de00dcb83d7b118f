"""App configuration of the demo shop."""

from __future__ import annotations

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Brings the shop's pages and the `demo_seed` command; it has no models."""

    name = "config.demo"
    label = "frontdesk_demo"
    verbose_name = "Demo shop"
