"""Creates the one widget for the site itself, so that ``{% chatwidget %}`` works at once."""

from __future__ import annotations

from django.db import migrations


def create_default(apps, schema_editor):
    widgets = apps.get_model("frontdesk_chatwidget", "Widget").objects
    widgets.using(schema_editor.connection.alias).get_or_create(key="default")


class Migration(migrations.Migration):
    dependencies = [("frontdesk_chatwidget", "0001_initial")]

    operations = [migrations.RunPython(create_default, migrations.RunPython.noop, elidable=False)]
