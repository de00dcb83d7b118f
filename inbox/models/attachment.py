"""Files that belong to messages; uploading them is the widget's and the inbox's business."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


class Attachment(models.Model):
    """One stored file. It belongs to its uploader until a message takes it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    message = models.ForeignKey(
        "frontdesk_inbox.Message",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="attachments",
    )
    visitor = models.ForeignKey(
        "frontdesk_inbox.Visitor",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="attachments",
    )
    operator = models.ForeignKey(
        "frontdesk_inbox.Operator",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="attachments",
    )
    position = models.PositiveSmallIntegerField(default=0)
    name = models.CharField(_("name"), max_length=255)
    size = models.PositiveBigIntegerField(_("size in bytes"))
    content_type = models.CharField(_("type"), max_length=100)
    file = models.FileField(upload_to="frontdesk/%Y/%m/")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        ordering = ["position", "created_at"]

    def __str__(self) -> str:
        return self.name
