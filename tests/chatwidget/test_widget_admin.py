"""Widgets in the Django admin."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import connection
from django.urls import reverse

from chatwidget.colours import contrast
from chatwidget.models import Widget, WidgetText
from inbox.testing import make_user

SECRET = "another-identity-secret-0123456789-0123456789"


@pytest.fixture
def page(widget):
    return reverse("admin:frontdesk_chatwidget_widget_change", args=[widget.pk])


@pytest.fixture
def reviewer(client, db):
    client.force_login(make_user("admin", is_staff=True, is_superuser=True))
    return client


def form(widget, **changes):
    fields = {
        "enabled": "on",
        "bot_key": widget.bot_key,
        "team": "",
        "allowed_origins": widget.allowed_origins,
        "anonymous": "on",
        "identity_secret": "",
        "name": widget.name,
        "greeting": widget.greeting,
        "starters": "\n".join(widget.starters),
        "reply_time": "",
        "privacy_url": "",
        "accent": widget.accent,
        "theme": "auto",
        "position": "end",
        "avatar_url": "",
        "human": "on",
        "texts-TOTAL_FORMS": "0",
        "texts-INITIAL_FORMS": "0",
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not None}


def test_the_page_shows_what_to_paste_and_never_the_secret(reviewer, page, widget):
    text = reviewer.get(page).content.decode()
    assert "{% load chatwidget %}{% chatwidget &quot;shop&quot; %}" in text
    assert "http://testserver/chat/widget.js&quot; data-widget=&quot;shop&quot;" in text
    assert widget.identity_secret not in text
    assert reviewer.get(reverse("admin:frontdesk_chatwidget_widget_add")).status_code == 200
    listed = reviewer.get(reverse("admin:frontdesk_chatwidget_widget_changelist"))
    assert b"shop" in listed.content


def test_lists_are_written_one_per_line(reviewer, page, widget):
    done = reviewer.post(page, form(widget, starters="One\n\n  Two \n", allowed_origins=""))
    assert done.status_code == 302, done.content.decode()
    widget.refresh_from_db()
    assert widget.starters == ["One", "Two"]
    assert widget.rating is False


def test_an_empty_secret_keeps_and_a_tick_forgets(reviewer, page, widget):
    before = widget.identity_secret
    reviewer.post(page, form(widget))
    widget.refresh_from_db()
    assert widget.identity_secret == before
    reviewer.post(page, form(widget, identity_secret=SECRET))
    widget.refresh_from_db()
    assert widget.identity_secret == SECRET
    reviewer.post(page, form(widget, forget_secret="on"))
    widget.refresh_from_db()
    assert widget.identity_secret == ""


def test_texts_in_another_language_are_kept_beside(reviewer, page, widget):
    inline = {
        "texts-TOTAL_FORMS": "1",
        "texts-0-language": "de",
        "texts-0-greeting": "Hallo!",
        "texts-0-starters": "Wo ist mein Paket?",
        "texts-0-widget": str(widget.pk),
    }
    assert reviewer.post(page, form(widget, **inline)).status_code == 302
    assert WidgetText.objects.get(widget=widget).starters == ["Wo ist mein Paket?"]
    # Saved again without a change, it stays one row.
    text = WidgetText.objects.get(widget=widget)
    inline |= {"texts-INITIAL_FORMS": "1", "texts-0-id": str(text.pk)}
    assert reviewer.post(page, form(widget, **inline)).status_code == 302
    assert WidgetText.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("allowed_origins", "https://*.shop.example"),
        ("allowed_origins", "https://shop.example/page"),
        ("identity_secret", "short"),
        ("starters", "1\n2\n3\n4\n5"),
        ("starters", "x" * 81),
        ("accent", "#ffee00"),
        ("accent", "red"),
        ("privacy_url", "javascript:alert(1)"),
        ("avatar_url", "data:image/png;base64,x"),
        ("greeting", "x" * 501),
    ],
)
def test_what_would_not_work_is_refused_beside_its_field(reviewer, page, widget, field, value):
    response = reviewer.post(page, form(widget, **{field: value}))
    assert response.status_code == 200
    assert field in response.context["adminform"].form.errors


def test_the_key_of_a_saved_widget_is_fixed(reviewer, page, widget):
    reviewer.post(page, form(widget, key="other"))
    widget.refresh_from_db()
    assert widget.key == "shop"


@pytest.mark.parametrize(
    "address", ["/privacy/", "https://shop.example/p", "http://shop.example:8000/"]
)
def test_addresses_of_people_pass(widget, address):
    widget.privacy_url = address
    widget.full_clean()


@pytest.mark.parametrize(
    "address",
    ["//evil.example", "/\\evil.example", "javascript:x", "shop.example", "http://[", "x"],
)
def test_addresses_that_lead_elsewhere_do_not(widget, address):
    widget.privacy_url = address
    with pytest.raises(ValidationError):
        widget.full_clean()


@pytest.mark.parametrize("value", ["text", [1], [""], [None], {"a": 1}])
def test_starters_are_a_list_of_texts(widget, value):
    widget.starters = value
    with pytest.raises(ValidationError):
        widget.full_clean()


def test_contrast_is_the_one_of_the_standard():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_migrate_makes_the_sites_own_widget_once(db):
    migration = import_module("chatwidget.migrations.0002_default_widget")
    Widget.objects.filter(key="default").delete()
    for _ in range(2):
        migration.create_default(apps, SimpleNamespace(connection=connection))
    assert Widget.objects.filter(key="default", enabled=True).count() == 1


def test_a_widget_and_its_text_name_themselves(widget):
    assert str(widget) == "Shop (shop)"
    assert str(WidgetText(language="de")) == "de"
