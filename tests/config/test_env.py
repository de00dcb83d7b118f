"""The environment is read strictly: a value that makes no sense names itself."""

from __future__ import annotations

import multiprocessing
import stat

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.env import (
    env_bool,
    env_choice,
    env_float,
    env_int,
    env_list,
    env_secret,
    env_str,
)


@pytest.mark.parametrize(
    ("word", "meaning"),
    [("1", True), ("YES", True), (" on ", True), ("0", False), ("no", False), ("", False)],
)
def test_yes_and_no_are_read_in_the_usual_words(monkeypatch, word, meaning):
    monkeypatch.setenv("X", word)
    assert env_bool("X", default=not meaning) is meaning


def test_what_is_unset_is_the_default(monkeypatch):
    monkeypatch.delenv("X", raising=False)
    assert env_bool("X", default=True) is True
    assert env_str("X", "word") == "word"
    assert env_int("X", 7) == 7
    assert env_float("X", 0.5) == 0.5
    assert env_list("X", ("a",)) == ["a"]
    assert env_secret("X", minimum_bytes=8) == ""


@pytest.mark.parametrize(
    ("read", "value", "words"),
    [
        (lambda: env_bool("X"), "maybe", "neither yes nor no"),
        (lambda: env_int("X", 1), "ten", "not a whole number"),
        (lambda: env_int("X", 1, minimum=2), "1", "the least is 2"),
        (lambda: env_float("X", 1), "much", "not a number"),
        (lambda: env_float("X", 1), "nan", "out of range"),
        (lambda: env_float("X", 1), "inf", "out of range"),
        (lambda: env_float("X", 1, minimum=0.5), "0.1", "the least is 0.5"),
        (lambda: env_choice("X", "a", ("a", "b")), "c", "choose one of a, b"),
        (lambda: env_secret("X", minimum_bytes=32), "short", "5 bytes"),
    ],
)
def test_nonsense_stops_the_start_and_names_the_variable(monkeypatch, read, value, words):
    monkeypatch.setenv("X", value)
    with pytest.raises(ImproperlyConfigured, match=f"X.*{words}"):
        read()


def test_sensible_values_are_read(monkeypatch):
    monkeypatch.setenv("X", " 12 ")
    assert env_int("X", 1) == 12
    assert env_float("X", 1) == 12.0
    monkeypatch.setenv("X", "https://a.example, ,https://b.example")
    assert env_list("X") == ["https://a.example", "https://b.example"]
    monkeypatch.setenv("X", "b")
    assert env_choice("X", "a", ("a", "b")) == "b"
    monkeypatch.setenv("X", "ä" * 16)
    assert env_secret("X", minimum_bytes=32) == "ä" * 16


def test_a_secret_nobody_chose_is_made_once_and_readable_by_its_owner_alone(monkeypatch, tmp_path):
    monkeypatch.delenv("X", raising=False)
    path = tmp_path / "data" / "secret.key"
    first = env_secret("X", minimum_bytes=32, fallback=path)
    assert len(first) >= 32
    assert env_secret("X", minimum_bytes=32, fallback=path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["secret.key"]


def test_processes_that_start_at_once_agree_on_the_secret(monkeypatch, tmp_path):
    monkeypatch.delenv("X", raising=False)
    path = tmp_path / "secret.key"
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        secrets = pool.map(_secret_of_a_process, [str(path)] * 16)
    assert len(set(secrets)) == 1


def _secret_of_a_process(path):
    from pathlib import Path

    return env_secret("X", minimum_bytes=32, fallback=Path(path))
