"""Tickets that were used; in the database so that every process knows them."""

from __future__ import annotations

import datetime as dt

from django.db import models


class UsedTicketQuerySet(models.QuerySet["UsedTicket"]):
    """Sets of used tickets."""

    def expired(self, now: dt.datetime) -> UsedTicketQuerySet:
        """Those whose own lifetime is over: refused by age, no need to remember them."""
        return self.filter(expires_at__lt=now)


class UsedTicket(models.Model):
    """One redeemed ticket. The primary key decides the race between two sockets with one ticket."""

    jti = models.CharField(max_length=32, primary_key=True)
    expires_at = models.DateTimeField(db_index=True)

    objects = UsedTicketQuerySet.as_manager()

    class Meta:
        verbose_name = "used ticket"

    def __str__(self) -> str:
        return self.jti
