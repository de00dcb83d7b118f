"""The parts of `manage.py frontdesk`; each module owns one subcommand."""

from __future__ import annotations

from inbox.commands.base import Subcommand
from inbox.commands.doctor import Doctor
from inbox.commands.new_epoch import NewEpoch
from inbox.commands.serve import Serve
from inbox.commands.token import Token
from inbox.commands.worker import Worker


def subcommands() -> dict[str, Subcommand]:
    """Every subcommand by the name it is called with."""
    known: list[Subcommand] = [Serve(), Worker(), Doctor(), Token(), NewEpoch()]
    return {subcommand.name: subcommand for subcommand in known}
