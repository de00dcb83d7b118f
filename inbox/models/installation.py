"""Facts about this database as a whole."""

from __future__ import annotations

import uuid

from django.db import models


class InstallationQuerySet(models.QuerySet["Installation"]):
    """The one row."""

    def current_epoch(self) -> str:
        """The epoch on the wire; the row is made when the database has none."""
        row, _created = self.get_or_create(pk=1)
        return str(row.epoch)


class Installation(models.Model):
    """One row. ``epoch`` changes when the database was restored from an older backup, so that
    readers whose ``since`` counts events of another history are told to start over."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    epoch = models.UUIDField(default=uuid.uuid4)

    objects = InstallationQuerySet.as_manager()

    class Meta:
        verbose_name = "installation"

    def __str__(self) -> str:
        return str(self.epoch)
