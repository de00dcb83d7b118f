"""Webhooks: written with the event, signed, at least once, nobody waits for a dead receiver."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import ipaddress
import json
import ssl

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from standardwebhooks.webhooks import Webhook

from inbox.actions.webhooks import claim_deliveries, finish_attempt, replay, rotate_secret
from inbox.models import WebhookDelivery, WebhookEndpoint
from inbox.models.webhook import new_secret
from inbox.testing import make_conversation, make_message, make_note, make_operator
from inbox.webhooks import addresses
from inbox.webhooks.request import attempt
from inbox.webhooks.schedule import MAX_ATTEMPTS, Outcome, next_delay, parse_retry_after
from inbox.webhooks.source import WebhookSource

database = pytest.mark.django_db(transaction=True)


class Receiver:
    """A real HTTP server that answers as it is told and remembers what it got."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], str]] = []
        self.answer = b"HTTP/1.1 204 No Content\r\n\r\n"
        self.stall = False

    async def __call__(self, reader, writer) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = {
            line.split(": ", 1)[0].lower(): line.split(": ", 1)[1]
            for line in head.split("\r\n")[1:]
            if ": " in line
        }
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.requests.append((headers, body.decode()))
        if self.stall:
            await asyncio.sleep(30)
        with contextlib.suppress(ConnectionError):
            writer.write(self.answer)
            await writer.drain()
            writer.close()


@pytest.fixture
async def receiver(settings):
    settings.INBOX_WEBHOOK_PRIVATE_NETWORKS = ["127.0.0.0/8"]
    found = Receiver()
    server = await asyncio.start_server(found, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    yield found
    server.close()


def endpoint(url="http://127.0.0.1:1/hook", **fields):
    return WebhookEndpoint.objects.create(name="CRM", url=url, **fields)


async def deliver_due() -> int:
    source = WebhookSource()
    claims = await sync_to_async(source.claim)(50)
    await asyncio.gather(*(source.run(claim) for claim in claims))
    return len(claims)


@database
async def test_an_event_is_told_signed_and_once(receiver):
    hook = await sync_to_async(endpoint)(receiver.url)
    conversation = await sync_to_async(make_conversation)()
    message = await sync_to_async(make_message)(conversation, "Hello")
    assert await deliver_due() == 1
    assert await deliver_due() == 0
    headers, body = receiver.requests[0]
    told = Webhook(hook.secret).verify(body, headers)
    assert told["type"] == "message.created"
    assert told["data"]["id"] == str(message.id)
    assert told["data"]["seq"] == 1
    assert told["data"]["visitor"]["verified"] is False


@database
async def test_a_receiver_that_fails_is_tried_again_under_the_same_id(receiver):
    await sync_to_async(endpoint)(receiver.url)
    conversation = await sync_to_async(make_conversation)()
    await sync_to_async(make_message)(conversation)
    receiver.answer = b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"
    await deliver_due()
    row = await WebhookDelivery.objects.aget()
    assert (row.state, row.attempt, row.last_status) == ("pending", 1, 500)
    assert row.next_at > timezone.now()
    await WebhookDelivery.objects.aupdate(next_at=timezone.now())
    receiver.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    await deliver_due()
    await row.arefresh_from_db()
    assert row.state == "delivered"
    ids = {headers["webhook-id"] for headers, _ in receiver.requests}
    assert len(receiver.requests) == 2
    assert len(ids) == 1
    assert (await WebhookEndpoint.objects.aget()).failing_since is None


@database
async def test_a_redirect_is_a_failure_and_is_not_followed(receiver):
    await sync_to_async(endpoint)(receiver.url)
    await sync_to_async(make_message)(await sync_to_async(make_conversation)())
    answer = f"HTTP/1.1 302 Found\r\nLocation: {receiver.url}/x\r\nContent-Length: 0\r\n\r\n"
    receiver.answer = answer.encode()
    await deliver_due()
    assert len(receiver.requests) == 1
    assert (await WebhookDelivery.objects.aget()).state == "pending"


@database
async def test_gone_switches_the_endpoint_off(receiver):
    await sync_to_async(endpoint)(receiver.url)
    await sync_to_async(make_message)(await sync_to_async(make_conversation)())
    receiver.answer = b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"
    await deliver_due()
    hook = await WebhookEndpoint.objects.aget()
    assert not hook.enabled
    assert "410" in hook.disabled_reason
    assert (await WebhookDelivery.objects.aget()).state == "failed"


@database
async def test_a_receiver_that_stalls_is_given_up_and_holds_up_nobody(receiver, settings):
    settings.INBOX_WEBHOOK_TIMEOUT_SECONDS = 0.2
    receiver.stall = True
    await sync_to_async(endpoint)(receiver.url)
    conversation = await sync_to_async(make_conversation)()
    for _ in range(10):
        await sync_to_async(make_message)(conversation)
    claims = await sync_to_async(claim_deliveries)(50)
    assert len(claims) == 4
    outcome = await attempt(
        url=receiver.url, webhook_id="msg_1", body="{}", secrets=claims[0].secrets
    )
    assert outcome.error == "no answer in time"


@database
def test_much_that_waits_for_a_dead_receiver_is_not_counted_row_by_row():
    """Every delivery to anybody asks how many are under way to each."""
    pending = WebhookDelivery.objects.filter(endpoint=endpoint(), state="pending")
    plan = pending.filter(lease_until__gte=timezone.now()).order_by().values("id").explain()
    if connection.vendor == "sqlite":
        assert "frontdesk_webhook_in_flight" in plan


async def test_certificates_are_read_once_and_not_for_every_attempt(receiver, monkeypatch):
    """It takes 20 ms of the event loop, which serves the sockets too."""
    read = []
    original = ssl.SSLContext.load_verify_locations

    def load(self, *args, **kwargs):
        read.append(args)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", load)
    for number in range(5):
        outcome = await attempt(
            url=receiver.url, webhook_id=f"m{number}", body="{}", secrets=[new_secret()]
        )
        assert outcome.delivered
    assert len(read) <= 1


@database
async def test_an_endless_body_is_read_only_a_little(receiver):
    hook = await sync_to_async(endpoint)(receiver.url)
    receiver.answer = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 2_000_000
    outcome = await attempt(url=receiver.url, webhook_id="msg_1", body="{}", secrets=[hook.secret])
    assert outcome.delivered


@database
def test_a_worker_killed_after_the_post_sends_again_under_the_same_id():
    endpoint()
    make_message(make_conversation())
    first = claim_deliveries(10)[0]
    assert not claim_deliveries(10)
    WebhookDelivery.objects.update(lease_until=timezone.now() - dt.timedelta(seconds=1))
    second = claim_deliveries(10)[0]
    assert second.webhook_id == first.webhook_id
    assert not finish_attempt(first, Outcome(status=200))
    assert finish_attempt(second, Outcome(status=200))


@database
def test_what_arrived_locks_no_receiver_whom_every_new_event_names():
    endpoint()
    make_message(make_conversation())
    [claim] = claim_deliveries(10)
    with CaptureQueriesContext(connection) as asked:
        assert finish_attempt(claim, Outcome(status=200))
    assert not [query["sql"] for query in asked if query["sql"].startswith("SELECT")]


@database
def test_private_notes_are_told_only_to_those_who_ask_for_them():
    plain, curious = endpoint(), endpoint(include_notes=True)
    make_note(make_conversation(), "between us", make_operator())
    assert list(WebhookDelivery.objects.values_list("endpoint", flat=True)) == [curious.pk]
    assert "between us" not in "".join(
        WebhookDelivery.objects.filter(endpoint=plain).values_list("body", flat=True)
    )


@database
def test_an_endpoint_hears_only_the_events_it_chose():
    endpoint(event_types=["conversation.changed"])
    make_message(make_conversation())
    assert not WebhookDelivery.objects.exists()


@database
def test_a_delivery_can_be_replayed_and_a_secret_rotated():
    hook = endpoint()
    make_message(make_conversation())
    claim = claim_deliveries(10)[0]
    finish_attempt(claim, Outcome(status=200))
    assert replay(WebhookDelivery.objects.values_list("id", flat=True)) == 1
    old = hook.secret
    rotate_secret(hook.pk)
    again = claim_deliveries(10)[0]
    assert again.webhook_id == claim.webhook_id
    assert again.secrets[1] == old != again.secrets[0]


@database
def test_an_endpoint_that_failed_for_five_days_is_switched_off():
    hook = endpoint(failing_since=timezone.now() - dt.timedelta(days=5, seconds=1))
    make_message(make_conversation())
    finish_attempt(claim_deliveries(10)[0], Outcome(error="connection failed"))
    hook.refresh_from_db()
    assert not hook.enabled


def test_the_schedule_lasts_75_hours_and_honours_retry_after():
    failed = Outcome(status=503)
    delays = [next_delay(n, failed, jitter=0) for n in range(1, MAX_ATTEMPTS)]
    assert sum(delays) == pytest.approx(75.6 * 3600, rel=0.01)
    assert next_delay(MAX_ATTEMPTS, failed, jitter=0) is None
    assert next_delay(1, Outcome(status=429, retry_after=100), jitter=0) == 100
    assert next_delay(1, failed, jitter=0.5) == pytest.approx(5.5)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("Fri, 20 Nov 2026 12:01:00 GMT", 60),
        ("Fri, 20 Nov 2020 12:01:00 GMT", 0),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_a_number_a_date_or_nothing(value, seconds):
    now = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)
    assert parse_retry_after(value, now) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1", "10.0.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1", "100.64.0.1",
        "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:1::", "fe80::1",
        "192.88.99.1", "fd00::1",
    ],
)  # fmt: skip
def test_addresses_inside_the_network_are_not_called(text):
    assert not addresses.is_allowed(ipaddress.ip_address(text))


def test_public_addresses_and_named_networks_are():
    assert addresses.is_allowed(ipaddress.ip_address("93.184.216.34"))
    named = [ipaddress.ip_network("10.1.0.0/16")]
    assert addresses.is_allowed(ipaddress.ip_address("10.1.2.3"), named)
    assert not addresses.is_allowed(ipaddress.ip_address("10.2.2.3"), named)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://localhost/", "http://0x7f.1/", "http://2130706433/",
        "file:///etc/passwd", "gopher://127.0.0.1/", "http://user:pw@example.com/", "http://[::1]/",
    ],
)  # fmt: skip
async def test_urls_that_lead_inside_are_refused(url):
    outcome = await attempt(url=url, webhook_id="m", body=json.dumps({}), secrets=[])
    assert outcome.error.startswith("url_not_allowed")


@database
def test_the_admin_shows_the_log_replays_and_rotates(admin_client):
    hook = endpoint()
    make_message(make_conversation())
    finish_attempt(claim_deliveries(10)[0], Outcome(status=200))
    delivery = WebhookDelivery.objects.get()
    base = "/admin/frontdesk_inbox"
    assert delivery.webhook_id in admin_client.get(f"{base}/webhookdelivery/").content.decode()
    page = admin_client.get(f"{base}/webhookdelivery/{delivery.pk}/change/").content.decode()
    assert "message.created" in page
    chosen = {"action": "send_again", "_selected_action": [delivery.pk]}
    admin_client.post(f"{base}/webhookdelivery/", chosen)
    delivery.refresh_from_db()
    assert delivery.state == "pending"
    old = hook.secret
    chosen = {"action": "rotate", "_selected_action": [hook.pk]}
    admin_client.post(f"{base}/webhookendpoint/", chosen)
    hook.refresh_from_db()
    assert hook.previous_secret == old


@database
def test_the_admin_makes_an_endpoint_that_hears_everything(admin_client):
    form = {
        "name": "CRM",
        "url": "https://crm.example/hook",
        "secret": "whsec_" + "A" * 43 + "=",
        "enabled": "on",
    }
    answer = admin_client.post("/admin/frontdesk_inbox/webhookendpoint/add/", form)
    assert answer.status_code == 302, answer.content
    assert WebhookEndpoint.objects.get().event_types == []
