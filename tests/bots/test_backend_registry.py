"""Aliases of backends and the instances behind them."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from bots.backends import backend_entries, close_backends, get_backend
from bots.backends.base import Ask
from bots.backends.scripted import ScriptedBackend
from bots.errors import BackendError, BotError
from bots.testing import PlayedBackend, collect

NOT_A_BACKEND = object()


def test_alias_names_one_shared_backend():
    assert isinstance(get_backend("scripted"), ScriptedBackend)
    assert get_backend("scripted") is get_backend("scripted")


@pytest.mark.parametrize("alias", ["responses", "chat", "scripted"])
def test_built_in_backends_carry_their_alias(alias):
    backend = get_backend(alias)
    assert backend.name == alias
    assert backend.supports_tools


def test_setting_chooses_the_default(settings):
    settings.BOTS_BACKEND = "scripted"
    assert get_backend().name == "scripted"


def test_host_adds_and_changes_backends(settings):
    settings.BOTS_BACKENDS = {
        "played": {"BACKEND": "bots.testing.PlayedBackend"},
        "chat": {"OPTIONS": {"model": "own"}},
    }
    assert isinstance(get_backend("played"), PlayedBackend)
    assert get_backend("chat").model_for(Ask(question="")) == "own"


def test_changed_options_make_a_new_backend(settings):
    settings.BOTS_BACKENDS = {"chat": {"OPTIONS": {"model": "one"}}}
    one = get_backend("chat")
    settings.BOTS_BACKENDS = {"chat": {"OPTIONS": {"model": "two"}}}
    assert get_backend("chat") is not one


def test_unknown_alias_names_the_near_one_and_all():
    with pytest.raises(ImproperlyConfigured) as caught:
        get_backend("response")
    assert "Did you mean 'responses'?" in str(caught.value)
    assert all(alias in str(caught.value) for alias in backend_entries())


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"OPTIONS": {}}, "names no BACKEND"),
        ({"BACKEND": "no.such.Backend"}, "cannot be imported"),
        ({"BACKEND": "tests.bots.test_backend_registry.NOT_A_BACKEND"}, "is no bots.backends"),
        (
            {"BACKEND": "bots.backends.chat.ChatBackend", "OPTIONS": {"colour": 1}},
            "colour",
        ),
    ],
)
def test_wrong_entry_says_what_is_wrong_and_no_secret(settings, entry, words):
    entry = {**entry, "OPTIONS": {**entry.get("OPTIONS", {}), "api_key": "sk-secret"}}
    settings.BOTS_BACKENDS = {"mine": entry}
    with pytest.raises(ImproperlyConfigured, match=words) as caught:
        get_backend("mine")
    assert "sk-secret" not in str(caught.value)


async def test_closing_every_backend_leaves_them_usable(model_server):
    backend = get_backend("chat")
    await collect(backend, "Hi")
    await close_backends()
    assert (await collect(backend, "Hi")).text == model_server.text
    await close_backends()


def test_scripted_backend_needs_nothing():
    assert ScriptedBackend().check() == []


def test_every_error_has_words_for_people():
    error = BackendError("backend_timeout", "after 3 s", retryable=True)
    assert "3 s" not in error.message
    assert BotError("not_listed").message == "not_listed"
    assert str(BotError("answer_cut")) == "answer_cut"


async def test_played_backend_plays_and_remembers():
    backend = PlayedBackend([BackendError("answer_cut")], [])
    assert (await collect(backend, "One")).error.code == "answer_cut"
    assert (await collect(backend, "Two")).finished is None
    assert [ask.question for ask in backend.asked] == ["One", "Two"]
    assert (await collect(PlayedBackend(), "Hi")).text == "Hi"
