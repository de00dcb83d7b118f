"""Prints the REST token of one operator, making it on first use."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError
from rest_framework.authtoken.models import Token as AuthToken

from inbox.commands.base import Subcommand, Write


class Token(Subcommand):
    """`frontdesk token USERNAME`; nothing but the token goes to standard output."""

    name = "token"
    help = "Prints the API token of a user, making one if there is none."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--renew", action="store_true", help="revoke the present one first")

    def run(self, options: Mapping[str, Any], write: Write) -> int:
        users = get_user_model()
        try:
            user = users._default_manager.get_by_natural_key(options["username"])
        except users.DoesNotExist:
            raise CommandError(f"There is no user {options['username']!r}.") from None
        if options["renew"]:
            AuthToken.objects.filter(user=user).delete()
        token, _created = AuthToken.objects.get_or_create(user=user)
        write(token.key)
        return 0
