"""`./dev`: what it refuses, what it passes on, and a demo from nothing to goodbye."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import socket
import subprocess
import sys
import urllib.request

import pytest

from tests.support.processes import Process, free_port, wait_until
from tests.support.sites import ROOT, Site


@pytest.fixture(scope="module")
def dev():
    """The script as a module."""
    loader = importlib.machinery.SourceFileLoader("dev", str(ROOT / "dev"))
    spec = importlib.util.spec_from_loader("dev", loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.9.10"])
def test_the_demo_listens_on_loopback(dev, host):
    dev.refuse_public(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "shop.example", ""])
def test_the_demo_refuses_every_other_address(dev, host):
    with pytest.raises(SystemExit, match="loopback only"):
        dev.refuse_public(host)


def test_a_port_in_use_is_noticed_before_anything_is_set_up(dev):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        assert not dev.is_free("127.0.0.1", holder.getsockname()[1])
    assert dev.is_free("127.0.0.1", free_port())


def test_the_environment_is_made_anew_when_dependencies_change(dev, monkeypatch, tmp_path):
    before = dev.fingerprint()
    text = (ROOT / "pyproject.toml").read_text()
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    (tmp_path / "pyproject.toml").write_text(text + "\n[tool.other]\nline = 1\n")
    assert dev.fingerprint() == before
    (tmp_path / "pyproject.toml").write_text(text.replace('"nh3>=0.3"', '"nh3>=0.2"'))
    assert dev.fingerprint() != before


def test_pytests_arguments_reach_pytest_untouched(dev, monkeypatch):
    seen = []
    for name in ("environment", "system_programs", "node_modules"):
        monkeypatch.setattr(dev, name, lambda **_: True)
    monkeypatch.setattr(dev, "run", lambda *command: seen.append(command) or 0)
    monkeypatch.setattr(sys, "argv", ["dev", "test", "-k", "a or b", "--help", "tests/inbox"])
    with pytest.raises(SystemExit) as ended:
        dev.main()
    assert ended.value.code == 0
    assert seen[0][-4:] == ("-k", "a or b", "--help", "tests/inbox")


def test_what_is_missing_is_named_with_the_tests_that_are_skipped(dev, monkeypatch, capsys):
    monkeypatch.setattr(dev, "has_program", lambda name: name != "chromium")
    monkeypatch.setattr(dev, "is_debian_root", lambda: False)
    dev.system_programs()
    assert "chromium is missing: tests in a real browser will be skipped" in capsys.readouterr().err


def test_root_on_debian_gets_the_missing_packages_installed(dev, monkeypatch):
    asked = []
    monkeypatch.setattr(dev, "has_program", lambda name: bool(asked))
    monkeypatch.setattr(dev, "is_debian_root", lambda: True)
    monkeypatch.setattr(dev, "apt_install", asked.append)
    dev.system_programs()
    assert asked == ["redis-server postgresql chromium fonts-noto-core"]


@pytest.mark.slow
def test_a_demo_comes_up_from_nothing_and_is_ready_when_it_says_so(tmp_path):
    port = free_port()
    env = Site(tmp_path, {}).env
    command = [sys.executable, "dev", "demo", "--port", str(port), "--data", str(tmp_path / "new")]
    process = Process(command, log=tmp_path / "demo.log", env=env, cwd=ROOT)
    try:
        ready = f"ready http://127.0.0.1:{port}/"
        wait_until(lambda: ready in process.output(), seconds=120, what=ready)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as response:
            assert b'data-widget="demo"' in response.read()
        assert (tmp_path / "new" / "db.sqlite3").exists()
        assert process.stop() == 0, process.output()
    finally:
        process.kill()


@pytest.mark.parametrize("arguments", [["--host", "0.0.0.0"], ["--port", "no"], ["more"]])
def test_a_demo_that_makes_no_sense_does_not_start(arguments):
    done = subprocess.run(
        [sys.executable, "dev", "demo", *arguments],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
