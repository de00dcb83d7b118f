"""Misconfigurations that ``manage.py check`` names."""

from __future__ import annotations

import pytest

from chatwidget import assets
from chatwidget.checks import check_widget


def ids():
    return [message.id for message in check_widget()]


def test_the_reference_project_is_well():
    assert ids() == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("CHATWIDGET_TICKET_SECONDS", "soon", "chatwidget.E001"),
        ("CHATWIDGET_TICKET_SECONDS", 600, "chatwidget.E002"),
        ("CHATWIDGET_LONG_POLL_SECONDS", 60, "chatwidget.E002"),
        ("CHATWIDGET_RATE_FACTOR", 0, "chatwidget.E002"),
        ("CHATWIDGET_RATE_FACTOR", None, "chatwidget.E001"),
        ("CHATWIDGET_MAX_SOCKETS", 0, "chatwidget.E002"),
        ("CHATWIDGET_GUEST_TOKEN_DAYS", 0, "chatwidget.E002"),
        ("CHATWIDGET_KNOWN_TOKEN_HOURS", 10_000, "chatwidget.E002"),
        ("INBOX_TRUSTED_PROXIES", ["the proxy"], "chatwidget.E003"),
    ],
)
def test_a_setting_that_will_not_do_is_named(settings, name, value, expected):
    setattr(settings, name, value)
    assert ids() == [expected]


def test_missing_urls_are_named(settings):
    settings.ROOT_URLCONF = "tests.chatwidget.no_urls"
    assert ids() == ["chatwidget.W001"]
    del settings.ROOT_URLCONF
    assert ids() == []


def test_missing_files_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr(assets, "FOLDER", tmp_path)
    assert ids() == ["chatwidget.E004", "chatwidget.E004"]
