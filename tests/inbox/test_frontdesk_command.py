"""`manage.py frontdesk`: the doctor, tokens, the epoch."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import override_settings
from rest_framework.authtoken.models import Token

from bots.models import Bot
from chatwidget.models import Widget
from inbox.commands.doctor import examine, render
from inbox.doctor import database, layer, site
from inbox.models import Installation
from inbox.ports import Finding
from inbox.testing import make_user

MEMORY_LAYER = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}


def frontdesk(*arguments):
    """What the command prints."""
    out = io.StringIO()
    call_command("frontdesk", *arguments, stdout=out)
    return out.getvalue().strip()


def faults(check):
    return [finding for finding in check() if not finding.ok]


@pytest.mark.django_db
def test_a_token_is_made_once_and_is_all_that_is_printed():
    make_user("olga")
    token = frontdesk("token", "olga")
    assert token == Token.objects.get(user__username="olga").key
    assert frontdesk("token", "olga") == token
    assert frontdesk("token", "olga", "--renew") != token


@pytest.mark.django_db
def test_a_token_for_nobody_is_refused_by_name():
    with pytest.raises(CommandError, match="nobody"):
        frontdesk("token", "nobody")


@pytest.mark.django_db
def test_a_new_epoch_replaces_the_old_one():
    before = Installation.objects.get_or_create(pk=1)[0].epoch
    frontdesk("new-epoch")
    assert Installation.objects.get(pk=1).epoch != before


def test_a_subcommand_is_required():
    with pytest.raises(CommandError):
        frontdesk()


@pytest.mark.django_db
def test_a_database_that_is_set_up_well_has_no_faults():
    assert faults(database.check_database) == []


@pytest.mark.django_db
def test_a_waiting_migration_is_named_with_the_command_that_applies_it():
    MigrationRecorder.Migration.objects.filter(app="frontdesk_inbox").delete()
    [fault] = faults(database.check_migrations)
    assert "frontdesk_inbox." in fault.detail
    assert "migrate" in fault.fix


def test_an_unreachable_database_is_one_fault_with_its_reason(monkeypatch):
    def refuse():
        raise DatabaseError("connection refused")

    monkeypatch.setattr(connection, "cursor", refuse)
    [fault] = faults(database.check_database)
    assert "connection refused" in fault.detail


@pytest.mark.django_db
def test_sqlite_with_djangos_own_defaults_has_two_faults(monkeypatch):
    if connection.vendor != "sqlite":
        pytest.skip("this run uses PostgreSQL")
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {})
    titles = {fault.title for fault in faults(database.check_sqlite)}
    assert titles == {"SQLite transactions", "SQLite waiting time"}


def test_the_memory_layer_carries_a_frame_and_is_called_right_for_one_process():
    with override_settings(CHANNEL_LAYERS=MEMORY_LAYER):
        [finding] = layer.check_layer()
    assert finding.ok
    assert "one process" in finding.detail


def test_a_missing_layer_is_a_fault():
    with override_settings(CHANNEL_LAYERS={}):
        [fault] = faults(layer.check_layer)
    assert "default" in fault.detail


def test_a_layer_whose_server_is_away_is_a_fault():
    away = {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [{"address": "redis://127.0.0.1:1/0", "socket_timeout": 15}]},
    }
    with override_settings(CHANNEL_LAYERS={"default": away}):
        [fault] = faults(layer.check_layer)
    assert "Start Redis" in fault.fix


@pytest.mark.services
@pytest.mark.parametrize(
    ("backend", "host", "titles"),
    [
        ("pubsub.RedisPubSubChannelLayer", {}, []),
        ("core.RedisChannelLayer", {"socket_timeout": 15}, []),
        ("core.RedisChannelLayer", {"socket_timeout": None}, []),
        ("core.RedisChannelLayer", {}, ["Redis read timeout"]),
        ("core.RedisChannelLayer", {"socket_timeout": 5}, ["Redis read timeout"]),
    ],
)
def test_a_real_layer_is_proved_and_its_idle_trap_found(redis_url, backend, host, titles):
    configured = {
        "BACKEND": f"channels_redis.{backend}",
        "CONFIG": {"hosts": [{"address": redis_url, **host}]},
    }
    with override_settings(CHANNEL_LAYERS={"default": configured}):
        assert [fault.title for fault in faults(layer.check_layer)] == titles


def test_an_old_redis_client_has_no_idle_trap(monkeypatch):
    monkeypatch.setattr(layer, "version", lambda name: "7.4.1")
    bare = {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": ["redis://x"]}}
    with override_settings(CHANNEL_LAYERS={"default": bare}):
        assert list(layer.check_idle_timeout("default")) == []


def test_the_inbox_has_an_address_and_its_script_is_found():
    assert faults(site.check_urls) == []
    assert faults(site.check_static) == []


def test_a_site_that_forgot_the_urls_is_told_the_line():
    with override_settings(ROOT_URLCONF="django.contrib.auth.urls"):
        [fault] = faults(site.check_urls)
    assert 'include("inbox.urls")' in fault.fix


@pytest.mark.django_db(transaction=True)
def test_the_socket_turns_a_stranger_away_with_4401():
    [finding] = site.check_socket()
    assert finding.ok, finding


@pytest.mark.parametrize("application", [None, "nowhere.application"])
def test_an_application_that_cannot_be_loaded_is_a_fault(application):
    with override_settings(ASGI_APPLICATION=application):
        [fault] = faults(site.check_socket)
    assert "asgi.py" in fault.fix


def test_an_application_without_the_routes_is_told_the_line():
    with override_settings(ASGI_APPLICATION="tests.inbox.test_frontdesk_command.deaf"):
        [fault] = faults(site.check_socket)
    assert "websocket_urlpatterns" in fault.fix


async def deaf(scope, receive, send):
    """An application that refuses every socket."""
    await receive()
    await send({"type": "websocket.close"})
    await receive()


def test_debug_and_open_hosts_are_faults():
    with override_settings(DEBUG=True, ALLOWED_HOSTS=["*"]):
        assert {fault.title for fault in faults(site.check_security)} == {"DEBUG", "ALLOWED_HOSTS"}
        assert site._own_host() == "localhost"
    with override_settings(DEBUG=False, ALLOWED_HOSTS=[".desk.example"]):
        assert faults(site.check_security) == []
        assert site._own_host() == "desk.example"


def test_a_check_that_breaks_is_a_finding_and_not_the_end():
    def broken():
        yield Finding(ok=True, title="first")
        raise RuntimeError("out of luck")

    first, second = examine(broken)
    assert first.ok
    assert not second.ok
    assert "out of luck" in second.detail


def test_a_fault_shows_its_fix_and_what_is_well_does_not():
    assert render(Finding(ok=True, title="A", detail="good", fix="x")) == "ok   A: good"
    assert render(Finding(ok=False, title="A", detail="bad", fix="x")).endswith("\n       x")
    assert render(Finding(ok=False, title="A")) == "FIX  A"


@pytest.mark.django_db(transaction=True)
def test_the_doctor_is_content_with_the_reference_project():
    # A test that flushed the database took along what the migrations made.
    Bot.objects.get_or_create(key="default", defaults={"name": "Assistant"})
    Widget.objects.get_or_create(key="default", defaults={"name": "Site", "bot_key": "default"})
    assert frontdesk("doctor").endswith("All is well.")


@pytest.mark.django_db(transaction=True)
def test_the_doctor_fails_when_there_is_something_to_fix():
    with override_settings(DEBUG=True), pytest.raises(CommandError) as failure:
        frontdesk("doctor")
    assert failure.value.returncode == 1
