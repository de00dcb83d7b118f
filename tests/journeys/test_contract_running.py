"""The contract's seventh section: servers, their health, and what the demo holds."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from tests.support.contract import Operator, Socket, Visitor
from tests.support.processes import Process, free_port, wait_until
from tests.support.sites import ROOT, MakeSite, Stack


def get(stack: Stack, path: str, **options: object) -> httpx2.Response:
    return httpx2.get(f"{stack.url}{path}", follow_redirects=True, **options)  # type: ignore[arg-type]


def ask(stack: Stack, query: str, language: str | None = None) -> dict[str, object]:
    body = {"query": query, "language": language}
    return dict(httpx2.post(f"{stack.url}/api/chatbot", json=body, timeout=30).json())


def test_health_readiness_and_metrics_answer(stack: Stack):
    assert get(stack, "/healthz").status_code == 200
    assert get(stack, "/readyz").status_code == 200
    metrics = get(stack, "/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    assert "# TYPE" in metrics.text


def test_the_shop_carries_the_widget_with_its_site_key(stack: Stack):
    page = get(stack, "/")
    assert page.status_code == 200
    script = re.search(r"<script[^>]*data-widget=\"demo\"[^>]*>", page.text)
    assert script
    assert "/chat/widget.js" in script.group(0)
    assert "set-cookie" not in page.headers


def test_the_admin_is_there_for_the_reviewer(stack: Stack):
    assert get(stack, "/admin/").status_code == 200
    assert Operator(stack.visitor, "admin").http.get("/admin/").status_code == 200


@pytest.mark.parametrize(
    ("query", "language", "word"),
    [
        ("How long does delivery take?", "en", "days"),
        ("How do I return something?", "en", "return"),
        ("Which payment methods do you take?", "en", "pay"),
        ("How long is the warranty?", "en", "year"),
        ("Where is my parcel?", "en", "track"),
        ("I forgot my password", "en", "password"),
        ("When are you open?", "en", ":00"),
        ("Wie lange dauert die Lieferung?", "de", "Werktag"),
        ("Wie kann ich etwas zurückgeben?", "de", "Rück"),
        ("Welche Zahlungsarten gibt es?", "de", "PayPal"),
        ("Wie lange habe ich Garantie?", "de", "Jahr"),
        ("Wo ist mein Paket?", "de", "verfolgen"),
        ("Ich habe mein Passwort vergessen", "de", "Passwort"),
        ("Wie sind eure Öffnungszeiten?", None, "Uhr"),
    ],
)
def test_the_demo_knows_the_usual_questions(
    stack: Stack, query: str, language: str | None, word: str
):
    body = ask(stack, query, language)
    assert word.lower() in str(body["answer"]).lower(), body["answer"]
    assert body["sources"]


def test_the_sources_of_an_answer_can_be_opened(stack: Stack):
    sources = ask(stack, "How long does delivery take?")["sources"]
    assert isinstance(sources, list)
    for source in sources:
        url = source["url"]
        assert get(stack, url if url.startswith("/") else httpx2.URL(url).path).status_code == 200


def test_the_doctor_proves_the_installation(stack: Stack):
    assert stack.site.manage("frontdesk", "doctor")


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_a_graceful_stop_says_so_and_keeps_what_was_acknowledged(make_site: MakeSite, server: str):
    site = make_site("sqlite")
    running = site.start(server=server)
    vera = Visitor(running).start()
    socket = vera.joined()
    socket.say("keep this")
    socket.until("ack")
    running.process.send(signal.SIGTERM)
    assert socket.close_code() == (1001 if server == "daphne" else 1012)
    assert running.process.child.wait(timeout=20) in {0, -signal.SIGTERM}

    again = site.start(server=server, port=running.port)
    assert again.url == vera.server.url
    vera.start()
    assert vera.events(0)["events"][0]["content"] == "keep this"
    assert vera.session["epoch"]
    socket.connection.socket.close()


def test_close_codes_hold_on_uvicorn_too(make_site: MakeSite):
    vera = Visitor(make_site("sqlite").start(server="uvicorn")).start()
    with vera.connect(ticket="nonsense") as socket:
        assert socket.close_code() == 4401
    with vera.connect(origin="https://evil.example") as socket:
        assert socket.close_code() == 4403

    def malformed(socket: Socket) -> int | None:
        for _ in range(5):
            socket.send_raw("{")
        return socket.close_code()

    with vera.joined() as socket:
        assert malformed(socket) == 4400
    with vera.joined() as socket:
        socket.send_raw('"' + "x" * 70_000 + '"')
        assert socket.close_code() in {4009, 1009}


def test_opening_a_page_writes_nothing(make_site: MakeSite):
    site = make_site("sqlite")
    running = site.start()
    for path in ("/", "/chat/widget.js", "/healthz"):
        assert "set-cookie" not in httpx2.get(f"{running.url}{path}").headers
    database = sqlite3.connect(site.folder / "db.sqlite3")
    for table in ("visitor", "conversation"):
        (count,) = database.execute(f"SELECT count(*) FROM frontdesk_inbox_{table}").fetchone()
        assert count == 0
    database.close()


def test_the_demo_prepares_itself_says_ready_and_stops(tmp_path: Path):
    port = free_port()
    command = [sys.executable, "dev", "demo", "--port", str(port), "--data", str(tmp_path)]
    demo = Process(command, log=tmp_path / "demo.log", env=dict(os.environ), cwd=ROOT)
    try:
        wait_until(lambda: f"ready http://127.0.0.1:{port}/" in demo.output(), seconds=90)
        assert httpx2.get(f"http://127.0.0.1:{port}/").status_code == 200
        assert (tmp_path / "db.sqlite3").exists()
        assert demo.stop(signal.SIGINT) in {0, 130, -signal.SIGINT}
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(f"http://127.0.0.1:{port}/")
    finally:
        demo.kill()


def test_the_demo_refuses_to_listen_elsewhere(tmp_path: Path):
    command = [sys.executable, "dev", "demo", "--host", "0.0.0.0", "--data", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "ready" not in done.stdout
