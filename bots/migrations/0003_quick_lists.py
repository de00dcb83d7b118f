"""Indexes by which the turns of the admin are listed and narrowed."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("frontdesk_bots", "0002_turns"),
        ("frontdesk_inbox", "0004_quick_lists"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="turn",
            index=models.Index(fields=["-created_at", "-id"], name="frontdesk_turn_newest"),
        ),
        migrations.AddIndex(
            model_name="turn",
            index=models.Index(
                condition=models.Q(("error_code__gt", "")),
                fields=["error_code", "-created_at", "-id"],
                name="frontdesk_turn_errors",
            ),
        ),
        migrations.AddIndex(
            model_name="turn",
            index=models.Index(
                condition=models.Q(
                    ("status", "failed"),
                    ("status", "cancelled"),
                    ("status", "handed_over"),
                    _connector="OR",
                ),
                fields=["status", "-created_at", "-id"],
                name="frontdesk_turn_undone",
            ),
        ),
    ]
