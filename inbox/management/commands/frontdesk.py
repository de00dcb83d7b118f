"""`manage.py frontdesk …`: one command whose parts live in `inbox.commands`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from inbox.commands import subcommands


class Command(BaseCommand):
    """Serves, works, examines and looks after an installation."""

    help = "Runs and looks after Frontdesk."

    def add_arguments(self, parser: CommandParser) -> None:
        choices = parser.add_subparsers(dest="subcommand", metavar="subcommand", required=True)
        for name, subcommand in subcommands().items():
            branch = choices.add_parser(name, help=subcommand.help, description=subcommand.help)
            subcommand.add_arguments(branch)

    def handle(self, *args: Any, **options: Any) -> None:
        subcommand = subcommands()[options["subcommand"]]
        exit_code = subcommand.run(options, self.stdout.write)
        if exit_code:
            raise CommandError(subcommand.failure, returncode=exit_code)
