"""Imports a folder of Markdown files as articles the bot answers from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bots.actions.article_import import ImportReport, import_folder
from bots.actions.articles import rebuild_index


class Command(BaseCommand):
    """``manage.py frontdesk_import_articles FOLDER [--language xx] [--prune] [--rebuild]``."""

    help = "Import a folder of Markdown files as articles. Running it again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        """Folder and options."""
        parser.add_argument("folder", type=Path, nargs="?")
        parser.add_argument(
            "--language", default="", help="for files outside folders such as en/ and de/"
        )
        parser.add_argument(
            "--prune",
            action="store_true",
            help="delete articles imported earlier from this folder whose file is gone",
        )
        parser.add_argument(
            "--rebuild", action="store_true", help="make passages and search index of all anew"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Import, print one line for each file that changed something, fail if any was refused."""
        folder: Path | None = options["folder"]
        if folder is None and not options["rebuild"]:
            raise CommandError("Name a folder of Markdown files, or use --rebuild.")
        if folder is not None and not folder.is_dir():
            raise CommandError(f"{folder} is no folder.")
        report = ImportReport()
        if folder is not None:
            report = import_folder(folder, language=options["language"], prune=options["prune"])
            self._print(report)
        if options["rebuild"]:
            self.stdout.write(f"Rebuilt the passages of {rebuild_index()} articles.")
        if report.refused:
            raise CommandError(f"{len(report.refused)} of the files could not be imported.")

    def _print(self, report: ImportReport) -> None:
        for word in ("created", "updated", "removed"):
            for name in getattr(report, word):
                self.stdout.write(f"{word} {name}")
        for name, reason in report.refused:
            self.stderr.write(self.style.ERROR(f"refused {name}: {reason}"))
        self.stdout.write(
            f"{len(report.created)} created, {len(report.updated)} updated, "
            f"{len(report.unchanged)} unchanged, {len(report.removed)} removed, "
            f"{len(report.refused)} refused."
        )
