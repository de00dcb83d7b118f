"""Articles, passages and terms, and the full-text index of each database.

The index holds terms that ``bots.knowledge.terms`` has folded and stemmed, so that both databases
find the same passages. SQLite gets an FTS5 table, written together with the passages; PostgreSQL
a generated column with a GIN index. Other databases get none and are refused by the search.
"""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

SQLITE = """
CREATE VIRTUAL TABLE frontdesk_bots_passage_index USING fts5(
    heading_terms, body_terms, tokenize = 'unicode61 remove_diacritics 2'
)
"""

# array_to_tsvector takes the terms as they are; to_tsvector would cut some of them once more.
POSTGRESQL = [
    """
    ALTER TABLE frontdesk_bots_passage ADD COLUMN search tsvector GENERATED ALWAYS AS (
        array_to_tsvector(string_to_array(heading_terms, ' '))
        || array_to_tsvector(string_to_array(body_terms, ' '))
    ) STORED
    """,
    "CREATE INDEX frontdesk_passage_search ON frontdesk_bots_passage USING gin (search)",
]


def make_index(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Make what this database searches with."""
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(SQLITE)
    elif schema_editor.connection.vendor == "postgresql":
        for statement in POSTGRESQL:
            schema_editor.execute(statement)


def drop_index(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Undo ``make_index``; on PostgreSQL the column goes with its table."""
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TABLE IF EXISTS frontdesk_bots_passage_index")


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Article",
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
                        help_text="Short name used in its address.",
                        max_length=120,
                        verbose_name="key",
                    ),
                ),
                (
                    "language",
                    models.CharField(
                        help_text="Language code such as en, de or pt-br.",
                        max_length=16,
                        verbose_name="language",
                    ),
                ),
                ("title", models.CharField(max_length=200, verbose_name="title")),
                (
                    "body",
                    models.TextField(
                        help_text="Markdown. Headings cut it into passages.", verbose_name="text"
                    ),
                ),
                (
                    "url",
                    models.CharField(
                        blank=True,
                        help_text="Where a source link leads. Empty: the address made from BOTS_ARTICLE_URL.",
                        max_length=500,
                        verbose_name="address",
                    ),
                ),
                (
                    "published",
                    models.BooleanField(
                        default=True,
                        help_text="Only published articles are searched.",
                        verbose_name="published",
                    ),
                ),
                (
                    "widget_keys",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Keys of the widgets that may use it; empty means all of them.",
                        verbose_name="widgets",
                    ),
                ),
                (
                    "source_path",
                    models.CharField(
                        blank=True,
                        db_index=True,
                        editable=False,
                        max_length=500,
                        verbose_name="imported from",
                    ),
                ),
                ("checksum", models.CharField(blank=True, editable=False, max_length=64)),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="changed")),
            ],
            options={
                "verbose_name": "article",
                "verbose_name_plural": "articles",
                "ordering": ["language", "key"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("language", "key"),
                        name="frontdesk_article_key_once",
                        violation_error_message="This language has an article with this key already.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Term",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("language", models.CharField(max_length=16)),
                ("term", models.CharField(db_index=True, max_length=64)),
                ("passages", models.IntegerField()),
            ],
            options={
                "verbose_name": "term",
                "verbose_name_plural": "terms",
                "constraints": [
                    models.UniqueConstraint(fields=("language", "term"), name="frontdesk_term_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Passage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveIntegerField(verbose_name="position")),
                ("heading", models.CharField(blank=True, max_length=500, verbose_name="heading")),
                ("text", models.TextField(verbose_name="text")),
                ("heading_terms", models.TextField(blank=True, editable=False)),
                ("body_terms", models.TextField(blank=True, editable=False)),
                (
                    "article",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="passages",
                        to="frontdesk_bots.article",
                        verbose_name="article",
                    ),
                ),
            ],
            options={
                "verbose_name": "passage",
                "verbose_name_plural": "passages",
                "ordering": ["article", "position"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("article", "position"), name="frontdesk_passage_position_once"
                    )
                ],
            },
        ),
        migrations.RunPython(make_index, drop_index),
    ]
