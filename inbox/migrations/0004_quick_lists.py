"""Indexes by which every list of operators and reviewers is read, and no other.

PostgreSQL's search also goes by time (``inbox.search``).
"""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def make_index(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """A search on PostgreSQL looks at the newest messages first."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "CREATE INDEX frontdesk_message_time ON frontdesk_inbox_message (created_at)"
        )


def drop_index(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Undo ``make_index``."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX IF EXISTS frontdesk_message_time")


class Migration(migrations.Migration):
    dependencies = [
        ("frontdesk_inbox", "0003_webhooks"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(make_index, drop_index),
        migrations.RemoveIndex(
            model_name="conversation",
            name="frontdesk_conv_recent",
        ),
        migrations.RemoveIndex(
            model_name="conversation",
            name="frontdesk_conv_view",
        ),
        migrations.RemoveIndex(
            model_name="conversation",
            name="frontdesk_conv_mine",
        ),
        migrations.AlterField(
            model_name="conversation",
            name="team",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="conversations",
                to="frontdesk_inbox.team",
                verbose_name="team",
            ),
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(fields=["-updated_at", "-id", "team"], name="frontdesk_conv_latest"),
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(
                fields=["status", "handled_by", "-updated_at", "-id", "team"],
                name="frontdesk_conv_stretch",
            ),
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("operator__isnull", False)),
                fields=["operator", "status", "-updated_at", "-id"],
                name="frontdesk_conv_own",
            ),
        ),
        migrations.AddIndex(
            model_name="handoff",
            index=models.Index(fields=["-created_at", "-id"], name="frontdesk_handoff_newest"),
        ),
        migrations.AddIndex(
            model_name="handoff",
            index=models.Index(
                fields=["reason", "-created_at", "-id"], name="frontdesk_handoff_reason"
            ),
        ),
        migrations.AddIndex(
            model_name="visitor",
            index=models.Index(fields=["-created_at", "-id"], name="frontdesk_visitor_newest"),
        ),
        migrations.AddIndex(
            model_name="visitor",
            index=models.Index(
                condition=models.Q(("blocked_at__isnull", False)),
                fields=["-created_at", "-id"],
                name="frontdesk_visitor_blocked",
            ),
        ),
        migrations.AddIndex(
            model_name="visitor",
            index=models.Index(
                condition=models.Q(("external_id__gt", "")),
                fields=["external_id"],
                name="frontdesk_visitor_known",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                condition=models.Q(("state", "failed")),
                fields=["-id"],
                name="frontdesk_webhook_failed",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(fields=["webhook_id"], name="frontdesk_webhook_id"),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(fields=["conversation_id"], name="frontdesk_webhook_conv"),
        ),
    ]
