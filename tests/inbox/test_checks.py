"""System checks: silent on the reference project, loud on each classic misconfiguration."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings as project

from inbox import checks

CORE = "channels_redis.core.RedisChannelLayer"
SQLITE = "django.db.backends.sqlite3"


def found() -> list[str]:
    return [message.id for message in checks.check_installation()]


def test_the_reference_project_is_sound(settings):
    settings.DEBUG = True
    assert found() == []


def test_a_missing_asgi_application(settings):
    settings.DEBUG, settings.ASGI_APPLICATION = True, None
    assert found() == ["inbox.E001"]


def test_a_missing_layer(settings):
    settings.CHANNEL_LAYERS = {"other": {}}
    assert "inbox.E002" in found()


def test_a_layer_in_memory_on_a_live_site(settings):
    settings.DEBUG = False
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": checks.IN_MEMORY}}
    assert [message.id for message in checks.check_deployment()] == ["inbox.W001"]
    settings.DEBUG = True
    assert checks.check_deployment() == []


@pytest.mark.parametrize(
    ("config", "ids"),
    [
        ({}, ["inbox.E003"]),
        ({"hosts": ["redis://localhost"]}, ["inbox.E003"]),
        ({"hosts": [{"address": "redis://a"}]}, ["inbox.E003"]),
        ({"hosts": [{"address": "redis://a", "socket_timeout": 5}]}, ["inbox.E003"]),
        ({"hosts": [{"address": "redis://a", "socket_timeout": 15}]}, []),
        ({"hosts": [{"address": "redis://a", "socket_timeout": None}]}, []),
    ],
)
def test_redis_that_gives_up_before_the_layer(settings, config, ids, monkeypatch):
    monkeypatch.setattr(checks, "version", lambda name: "8.1.0" if name == "redis" else "4.2.3")
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": CORE, "CONFIG": config}}
    assert found() == ids


def test_older_redis_waits_for_ever(settings, monkeypatch):
    monkeypatch.setattr(checks, "version", lambda name: "7.4.1" if name == "redis" else "4.2.3")
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": CORE}}
    assert found() == []


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ({}, ["inbox.E004", "inbox.W002"]),
        ({"transaction_mode": "IMMEDIATE"}, ["inbox.W002"]),
        ({"init_command": "PRAGMA journal_mode = WAL"}, ["inbox.E004"]),
    ],
)
def test_sqlite_as_django_sets_it_up(settings, options, ids, monkeypatch):
    settings.DEBUG = True
    monkeypatch.setattr(
        checks, "settings", _changed(DATABASES={"default": {"ENGINE": SQLITE, "OPTIONS": options}})
    )
    assert found() == ids


def test_another_database_needs_none_of_that(monkeypatch):
    postgres = {"default": {"ENGINE": "django.db.backends.postgresql"}}
    monkeypatch.setattr(checks, "settings", _changed(DATABASES=postgres))
    assert found() == []


def test_a_host_package_that_hides_ours(monkeypatch, settings):
    settings.DEBUG = True
    elsewhere = SimpleNamespace(submodule_search_locations=["/srv/shop/inbox"])
    real = checks.importlib.util.find_spec
    monkeypatch.setattr(
        checks.importlib.util,
        "find_spec",
        lambda name: elsewhere if name == "inbox" else real(name),
    )
    assert found() == ["inbox.E005"]


def test_a_host_app_of_the_same_name(monkeypatch):
    host = SimpleNamespace(name="bots", label="bots", path=str(Path.cwd()))
    monkeypatch.setattr(checks.apps, "get_app_configs", lambda: [host])
    assert [message.id for message in checks.packages()] == ["inbox.E005"]


@pytest.mark.parametrize(("installed", "ids"), [("4.1.2", ["inbox.E006"]), ("4.2.2", [])])
def test_a_daphne_with_known_holes(monkeypatch, settings, installed, ids):
    settings.DEBUG = True
    monkeypatch.setattr(checks, "version", lambda name: installed if name == "daphne" else "7.0")
    assert found() == ids


def test_no_daphne_and_no_redis_is_the_hosts_choice(monkeypatch, settings):
    def absent(name):
        raise checks.PackageNotFoundError(name)

    settings.DEBUG = True
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": CORE}}
    monkeypatch.setattr(checks, "version", absent)
    assert found() == []


def test_daphne_after_staticfiles(monkeypatch):
    apps = ["django.contrib.staticfiles", "daphne"]
    monkeypatch.setattr(checks, "settings", _changed(INSTALLED_APPS=apps))
    assert found() == ["inbox.E007"]


def test_neighbours_that_are_missing(monkeypatch):
    monkeypatch.setattr(
        checks.apps, "is_installed", lambda name: name != "rest_framework.authtoken"
    )
    assert [message.id for message in checks.neighbours()] == ["inbox.E008"]


def _changed(**values):
    names = ("ASGI_APPLICATION", "CHANNEL_LAYERS", "DATABASES", "INSTALLED_APPS")
    present = {name: getattr(project, name) for name in names}
    return SimpleNamespace(**{**present, "DEBUG": True, **values})
