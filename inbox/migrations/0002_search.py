"""The full-text indexes of messages and visitors (``inbox.search``).

SQLite: FTS5 tables kept by triggers, so that multi-row inserts, redaction and erasure need no
thought. A message's row number is its event's, which never changes. Django rebuilds a table
when a later migration alters it and drops its triggers: such a migration runs ``make_index`` again.
"""

from __future__ import annotations

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from inbox.search import MESSAGE_TEXT, VISITOR_TEXT

SQLITE_TABLES = {
    "frontdesk_inbox_message_search": "content",
    "frontdesk_inbox_visitor_search": "name, email",
}
SQLITE_TRIGGERS = {
    "frontdesk_message_search_insert": """
        AFTER INSERT ON frontdesk_inbox_event WHEN NEW.kind = 'message' BEGIN
            INSERT INTO frontdesk_inbox_message_search (rowid, content)
            SELECT NEW.id, content FROM frontdesk_inbox_message WHERE id = NEW.message_id;
        END""",
    "frontdesk_message_search_update": """
        AFTER UPDATE OF content ON frontdesk_inbox_message BEGIN
            UPDATE frontdesk_inbox_message_search SET content = NEW.content
            WHERE rowid IN (SELECT id FROM frontdesk_inbox_event
                            WHERE message_id = NEW.id AND kind = 'message');
        END""",
    "frontdesk_message_search_delete": """
        AFTER DELETE ON frontdesk_inbox_event WHEN OLD.kind = 'message' BEGIN
            DELETE FROM frontdesk_inbox_message_search WHERE rowid = OLD.id;
        END""",
    "frontdesk_visitor_search_insert": """
        AFTER INSERT ON frontdesk_inbox_visitor BEGIN
            INSERT INTO frontdesk_inbox_visitor_search (rowid, name, email)
            VALUES (NEW.id, NEW.name, NEW.email);
        END""",
    "frontdesk_visitor_search_update": """
        AFTER UPDATE OF name, email ON frontdesk_inbox_visitor BEGIN
            UPDATE frontdesk_inbox_visitor_search SET name = NEW.name, email = NEW.email
            WHERE rowid = NEW.id;
        END""",
    "frontdesk_visitor_search_delete": """
        AFTER DELETE ON frontdesk_inbox_visitor BEGIN
            DELETE FROM frontdesk_inbox_visitor_search WHERE rowid = OLD.id;
        END""",
}
SQLITE_FILL = [
    """INSERT INTO frontdesk_inbox_message_search (rowid, content)
       SELECT e.id, m.content FROM frontdesk_inbox_event e
       JOIN frontdesk_inbox_message m ON m.id = e.message_id WHERE e.kind = 'message'""",
    """INSERT INTO frontdesk_inbox_visitor_search (rowid, name, email)
       SELECT id, name, email FROM frontdesk_inbox_visitor""",
]
POSTGRESQL = [
    # Stored, because a search for a common word compares thousands of messages by time and
    # would cut each of them into words again. Not a field: nobody reads it.
    f"""ALTER TABLE frontdesk_inbox_message ADD COLUMN search tsvector
        GENERATED ALWAYS AS (to_tsvector('simple', {MESSAGE_TEXT})) STORED""",
    "CREATE INDEX frontdesk_message_search ON frontdesk_inbox_message USING gin (search)",
    f"""CREATE INDEX frontdesk_visitor_search ON frontdesk_inbox_visitor
        USING gin (to_tsvector('simple', {VISITOR_TEXT}))""",
]
POSTGRESQL_DROPS = [
    "DROP INDEX IF EXISTS frontdesk_message_search",
    "DROP INDEX IF EXISTS frontdesk_visitor_search",
    "ALTER TABLE frontdesk_inbox_message DROP COLUMN IF EXISTS search",
]


def make_index(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Make and fill what this database searches with; may be run again."""
    drop_index(apps, schema_editor)
    vendor = schema_editor.connection.vendor
    # params=None: the driver must not look for placeholders in the % sign of an expression.
    if vendor == "sqlite":
        for table, columns in SQLITE_TABLES.items():
            schema_editor.execute(
                f"CREATE VIRTUAL TABLE {table} USING fts5({columns},"
                " tokenize = 'unicode61 remove_diacritics 2')",
                params=None,
            )
        for statement in SQLITE_FILL:
            schema_editor.execute(statement, params=None)
        for name, body in SQLITE_TRIGGERS.items():
            schema_editor.execute(f"CREATE TRIGGER {name} {body}", params=None)
    elif vendor == "postgresql":
        for statement in POSTGRESQL:
            schema_editor.execute(statement, params=None)


def drop_index(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Undo ``make_index``."""
    vendor = schema_editor.connection.vendor
    if vendor == "sqlite":
        for name in SQLITE_TRIGGERS:
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}", params=None)
        for table in SQLITE_TABLES:
            schema_editor.execute(f"DROP TABLE IF EXISTS {table}", params=None)
    elif vendor == "postgresql":
        for statement in POSTGRESQL_DROPS:
            schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("frontdesk_inbox", "0001_initial")]

    operations = [migrations.RunPython(make_index, drop_index)]
