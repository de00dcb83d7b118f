"""Prepares the demo's data in one go; `./dev demo` runs it before it serves."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from config.demo.reset import reset
from config.demo.seed import seed

KNOWLEDGE = Path(__file__).resolve().parents[2] / "knowledge"


class Command(BaseCommand):
    """Migrates, seeds, imports the knowledge; every part may be run again."""

    help = "Migrates the database and fills it with the demo's data."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--reset", action="store_true", help="throw the present data away")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["reset"]:
            reset()
        call_command("migrate", interactive=False, verbosity=0)
        seed()
        report = StringIO()
        call_command("frontdesk_import_articles", str(KNOWLEDGE), stdout=report)
        self.stdout.write(report.getvalue().splitlines()[-1])
