"""The sockets under the provider's client: TLS, flow control, deadlines."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
import time

import httpcore2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bots.backends import transport
from bots.backends.base import Ask
from bots.backends.chat import ChatBackend
from bots.backends.network import AsyncioBackend
from bots.testing import collect


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Path of a key and a self-signed certificate for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


class Relay:
    """A TLS door in front of the model server."""

    def __init__(self, certificate, port):
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(certificate)
        self.target = port
        self.tasks = set()

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0, ssl=self.context)
        port = self.server.sockets[0].getsockname()[1]
        self.base_url = f"https://127.0.0.1:{port}/v1"
        return self

    async def __aexit__(self, *_exc):
        self.server.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def serve(self, reader, writer):
        self.tasks.add(asyncio.current_task())
        back_reader, back_writer = await asyncio.open_connection("127.0.0.1", self.target)

        async def copy(source, target):
            try:
                while data := await source.read(65536):
                    target.write(data)
                    await target.drain()
            finally:
                target.close()

        await asyncio.gather(
            copy(reader, back_writer), copy(back_reader, writer), return_exceptions=True
        )


@pytest.fixture
async def backend(model_server):
    made = ChatBackend()
    yield made
    await made.aclose()


async def test_answers_stream_over_tls(backend, model_server, settings, certificate, monkeypatch):
    trusted = ssl.create_default_context(cafile=certificate)
    monkeypatch.setattr(transport, "_ssl_context", lambda: trusted)
    async with Relay(certificate, model_server.port) as relay:
        settings.BOTS_BASE_URL, settings.BOTS_IDLE_SECONDS = relay.base_url, 1
        model_server.script("answer", "many_deltas", "answer", "stall")
        assert (await collect(backend, "Hi")).text == model_server.text
        assert len((await collect(backend, "Hi")).text) == 20_000
        assert (await collect(backend, "Hi")).text == model_server.text
        assert (await collect(backend, "Hi")).error.code == "backend_timeout"
        await backend.aclose()


async def test_unknown_certificate_is_refused(backend, model_server, settings, certificate):
    async with Relay(certificate, model_server.port) as relay:
        settings.BOTS_BASE_URL = relay.base_url
        error = (await collect(backend, "Hi")).error
    assert (error.code, error.retryable) == ("backend_unreachable", True)
    assert model_server.requests == []


async def test_server_without_tls_is_unreachable_over_https(backend, model_server, settings):
    settings.BOTS_BASE_URL = model_server.base_url.replace("http:", "https:")
    error = (await collect(backend, "Hi")).error
    assert (error.code, error.retryable) == ("backend_unreachable", True)


async def test_tls_handshake_that_never_ends_is_given_up(backend, settings):
    async def swallow(reader, writer):
        await reader.read()
        writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings.BOTS_BASE_URL = f"https://127.0.0.1:{port}/v1"
    settings.BOTS_CONNECT_SECONDS = 1
    error = (await collect(backend, "Hi")).error
    server.close()
    assert (error.code, error.retryable) == ("backend_unreachable", True)


class Peer:
    """One end of a connection, driven by the test."""

    async def __aenter__(self):
        self.accepted = asyncio.get_running_loop().create_future()
        self.server = await asyncio.start_server(
            lambda reader, writer: self.accepted.set_result((reader, writer)), "127.0.0.1", 0
        )
        port = self.server.sockets[0].getsockname()[1]
        self.connection = await AsyncioBackend().connect_tcp("127.0.0.1", port, timeout=1)
        self.reader, self.writer = await self.accepted
        return self

    async def __aexit__(self, *_exc):
        await self.connection.aclose()
        self.writer.close()
        self.server.close()


async def test_bytes_travel_both_ways():
    async with Peer() as peer:
        await peer.connection.write(b"ask")
        await peer.connection.write(b"")
        assert await peer.reader.readexactly(3) == b"ask"
        peer.writer.write(b"answer")
        assert await peer.connection.read(3) == b"ans"
        assert await peer.connection.read(100) == b"wer"
        peer.writer.close()
        assert await peer.connection.read(100) == b""
        assert peer.connection.get_extra_info("is_readable")
        with pytest.raises(httpcore2.WriteError):
            await peer.connection.write(b"late")


async def test_unread_bytes_stop_the_sender():
    async with Peer() as peer:

        async def flood():
            while True:
                peer.writer.write(b"x" * 65536)
                await peer.writer.drain()

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(flood(), 0.5)
        assert len(peer.connection._unread) < 2_000_000
        got = 0
        while got < 1_000_000:
            got += len(await peer.connection.read(65536))


async def test_read_has_the_pools_own_time_limit_too():
    async with Peer() as peer:
        with pytest.raises(httpcore2.ReadTimeout):
            await peer.connection.read(10, timeout=0.05)
        peer.writer.write(b"late")
        assert await peer.connection.read(10, timeout=1) == b"late"


async def test_deadline_moves_and_hits_only_who_waits():
    loop = asyncio.get_running_loop()
    async with Peer() as peer:
        connection = peer.connection
        connection.set_deadline(loop.time() + 0.1)
        await asyncio.sleep(0.2)  # Nobody reads: a busy reader is not the provider's silence.
        peer.writer.write(b"x")
        assert await connection.read(1) == b"x"
        connection.set_deadline(loop.time() + 5)
        connection.set_deadline(loop.time() + 0.1)
        connection.set_deadline(loop.time() + 0.2)
        started = loop.time()
        with pytest.raises(httpcore2.ReadTimeout):
            await connection.read(1)
        assert 0.15 < loop.time() - started < 0.5
        connection.set_deadline(loop.time())


async def test_bytes_that_came_while_the_process_was_busy_are_no_silence():
    loop = asyncio.get_running_loop()
    async with Peer() as peer:
        reading = loop.create_task(peer.connection.read(10))
        await asyncio.sleep(0)
        peer.connection.set_deadline(loop.time() + 0.1)
        peer.writer.write(b"in time")
        time.sleep(0.3)  # noqa: ASYNC251 - the loop stands still, as on a busy machine
        assert await reading == b"in time"
        peer.connection.set_deadline(loop.time() + 5)
        peer.writer.write(b" and more")
        assert await peer.connection.read(10) == b" and more"


async def test_pool_can_wait():
    await AsyncioBackend().sleep(0)


async def test_many_questions_share_one_client(backend, model_server):
    answers = await asyncio.gather(*(collect(backend, Ask(question=str(n))) for n in range(30)))
    assert {got.text for got in answers} == {model_server.text}
