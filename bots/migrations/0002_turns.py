"""Bots, their turns and tool calls; a site begins with one bot named ``default``."""

from __future__ import annotations

import uuid

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def make_default_bot(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The bot that widgets have unless they name another."""
    apps.get_model("frontdesk_bots", "Bot").objects.get_or_create(
        key="default", defaults={"name": "Assistant"}
    )


class Migration(migrations.Migration):
    dependencies = [
        ("frontdesk_bots", "0001_knowledge"),
        ("frontdesk_inbox", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Bot",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "key",
                    models.SlugField(
                        help_text="How widgets name it.",
                        max_length=64,
                        unique=True,
                        verbose_name="key",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="The name visitors read.", max_length=120, verbose_name="name"
                    ),
                ),
                (
                    "avatar_url",
                    models.CharField(
                        blank=True, default="", max_length=500, verbose_name="picture URL"
                    ),
                ),
                ("enabled", models.BooleanField(default=True, verbose_name="enabled")),
                (
                    "backend",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Empty: BOTS_BACKEND.",
                        max_length=64,
                        verbose_name="backend",
                    ),
                ),
                (
                    "model",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Empty: BOTS_MODEL.",
                        max_length=120,
                        verbose_name="model",
                    ),
                ),
                (
                    "instructions",
                    models.TextField(
                        blank=True,
                        default="",
                        help_text="Your own words to the bot: tone, what to offer, what to leave out.",
                        max_length=20000,
                        verbose_name="instructions",
                    ),
                ),
                (
                    "temperature",
                    models.FloatField(
                        blank=True,
                        help_text="Empty: the provider's own.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(0.0),
                            django.core.validators.MaxValueValidator(2.0),
                        ],
                        verbose_name="temperature",
                    ),
                ),
                (
                    "max_output_tokens",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Empty: BOTS_MAX_OUTPUT_TOKENS.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="longest answer in tokens",
                    ),
                ),
                (
                    "history_messages",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="Empty: BOTS_HISTORY_MESSAGES.",
                        null=True,
                        verbose_name="earlier messages shown to the model",
                    ),
                ),
                (
                    "use_previous_response_id",
                    models.BooleanField(
                        default=False,
                        help_text="Only for the backend “responses”: the provider stores the answers and gets their ids instead of the earlier messages. The site's own record stays complete.",
                        verbose_name="let the provider remember",
                    ),
                ),
                (
                    "tools",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Names of tools of BOTS_TOOLS it may call; empty means all of them.",
                        verbose_name="tools",
                    ),
                ),
                (
                    "min_score",
                    models.FloatField(
                        blank=True,
                        help_text="Worse matches are not used. Empty: BOTS_MIN_SCORE.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(0.0),
                            django.core.validators.MaxValueValidator(1.0),
                        ],
                        verbose_name="least score of a passage",
                    ),
                ),
                (
                    "hand_off_after_failures",
                    models.PositiveSmallIntegerField(
                        default=1,
                        help_text="After this many failed answers in a row a person is asked; 0 for never.",
                        verbose_name="hand off after failures",
                    ),
                ),
                (
                    "turns_per_visitor_day",
                    models.PositiveIntegerField(
                        default=200,
                        help_text="0 for no limit.",
                        verbose_name="answers per visitor and day",
                    ),
                ),
                (
                    "turns_per_day",
                    models.PositiveIntegerField(
                        default=0, help_text="0 for no limit.", verbose_name="answers per day"
                    ),
                ),
                (
                    "tokens_per_day",
                    models.PositiveBigIntegerField(
                        default=0,
                        help_text="In and out together; 0 for no limit.",
                        verbose_name="tokens per day",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="changed")),
            ],
            options={
                "verbose_name": "bot",
                "verbose_name_plural": "bots",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="Turn",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("first_seq", models.BigIntegerField()),
                ("last_seq", models.BigIntegerField()),
                ("ownership", models.BigIntegerField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("queued", "waiting"),
                            ("running", "running"),
                            ("done", "done"),
                            ("failed", "failed"),
                            ("cancelled", "cancelled"),
                            ("handed_over", "handed over"),
                        ],
                        default="queued",
                        max_length=12,
                        verbose_name="status",
                    ),
                ),
                ("revision", models.PositiveIntegerField(default=1, verbose_name="revision")),
                ("attempt", models.PositiveIntegerField(default=0, verbose_name="attempts")),
                ("fence", models.BigIntegerField(default=0)),
                (
                    "next_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("said", models.TextField(blank=True, default="")),
                ("checkpoint", models.TextField(blank=True, default="")),
                ("sources", models.JSONField(blank=True, default=list)),
                (
                    "message_id",
                    models.UUIDField(default=uuid.uuid4, editable=False, verbose_name="answer"),
                ),
                (
                    "error_code",
                    models.CharField(blank=True, default="", max_length=64, verbose_name="error"),
                ),
                ("input_tokens", models.PositiveIntegerField(default=0, verbose_name="tokens in")),
                (
                    "output_tokens",
                    models.PositiveIntegerField(default=0, verbose_name="tokens out"),
                ),
                (
                    "first_token_ms",
                    models.PositiveIntegerField(
                        blank=True, null=True, verbose_name="first word after ms"
                    ),
                ),
                (
                    "duration_ms",
                    models.PositiveIntegerField(
                        blank=True, null=True, verbose_name="duration in ms"
                    ),
                ),
                ("response_id", models.CharField(blank=True, default="", max_length=200)),
                ("trace", models.JSONField(blank=True, default=dict, verbose_name="trace")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                (
                    "finished_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="finished"),
                ),
                (
                    "bot",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="turns",
                        to="frontdesk_bots.bot",
                        verbose_name="bot",
                    ),
                ),
                (
                    "conversation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="bot_turns",
                        to="frontdesk_inbox.conversation",
                        verbose_name="conversation",
                    ),
                ),
                (
                    "trigger",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="bot_turns",
                        to="frontdesk_inbox.message",
                        verbose_name="message",
                    ),
                ),
            ],
            options={
                "verbose_name": "turn",
                "verbose_name_plural": "turns",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="ToolCall",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("round", models.PositiveSmallIntegerField(verbose_name="round")),
                ("position", models.PositiveSmallIntegerField(verbose_name="position")),
                ("call_id", models.CharField(max_length=128)),
                ("name", models.CharField(max_length=128, verbose_name="tool")),
                ("arguments", models.TextField(blank=True, default="", verbose_name="arguments")),
                (
                    "side_effect",
                    models.BooleanField(default=False, verbose_name="changes something"),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("requested", "requested"),
                            ("running", "running"),
                            ("done", "done"),
                            ("failed", "failed"),
                        ],
                        default="requested",
                        max_length=9,
                        verbose_name="status",
                    ),
                ),
                (
                    "code",
                    models.CharField(blank=True, default="", max_length=32, verbose_name="code"),
                ),
                ("result", models.TextField(blank=True, default="", verbose_name="result")),
                ("began_at", models.DateTimeField(blank=True, null=True, verbose_name="began")),
                (
                    "finished_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="finished"),
                ),
                (
                    "turn",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tool_calls",
                        to="frontdesk_bots.turn",
                    ),
                ),
            ],
            options={
                "verbose_name": "tool call",
                "verbose_name_plural": "tool calls",
                "ordering": ["turn", "round", "position"],
            },
        ),
        migrations.AddIndex(
            model_name="turn",
            index=models.Index(
                condition=models.Q(("status__in", ["queued", "running"])),
                fields=["next_at", "id"],
                name="frontdesk_turn_due",
            ),
        ),
        migrations.AddIndex(
            model_name="turn",
            index=models.Index(fields=["bot", "-finished_at"], name="frontdesk_turn_finished"),
        ),
        migrations.AddIndex(
            model_name="turn",
            index=models.Index(fields=["bot", "-created_at"], name="frontdesk_turn_created"),
        ),
        migrations.AddConstraint(
            model_name="turn",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status__in", ["queued", "running", "done"])),
                fields=("trigger",),
                name="frontdesk_turn_one_answer",
            ),
        ),
        migrations.AddConstraint(
            model_name="turn",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "queued")),
                fields=("conversation",),
                name="frontdesk_turn_one_waiting",
            ),
        ),
        migrations.AddConstraint(
            model_name="turn",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "running")),
                fields=("conversation",),
                name="frontdesk_turn_one_running",
            ),
        ),
        migrations.AddConstraint(
            model_name="toolcall",
            constraint=models.UniqueConstraint(
                fields=("turn", "call_id"), name="frontdesk_tool_call_once"
            ),
        ),
        migrations.RunPython(make_default_bot, migrations.RunPython.noop),
    ]
