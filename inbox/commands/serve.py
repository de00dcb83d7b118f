"""Runs one server process until it is told to stop."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from inbox.commands.base import Subcommand, Write


class Serve(Subcommand):
    """`frontdesk serve`: Daphne with the settings that the promises need."""

    name = "serve"
    help = "Serves the site: HTTP and WebSocket in one process, with a graceful stop."
    failure = "The server could not start; the address may be in use."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on")

    def run(self, options: Mapping[str, Any], write: Write) -> int:
        # Importing Daphne installs Twisted's reactor, which no other command may want.
        from inbox.serving.server import serve  # noqa: PLC0415

        return serve(host=options["host"], port=options["port"], write=write)
