"""One attempt: sign, resolve, connect to the checked address, follow nothing, read little."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import ssl
from functools import cache
from urllib.parse import urlsplit

import httpx2
from django.utils import timezone
from standardwebhooks.webhooks import Webhook

from inbox.conf import inbox_settings
from inbox.webhooks.addresses import AddressNotAllowedError, Network, resolve
from inbox.webhooks.schedule import Outcome, parse_retry_after

USER_AGENT = "Frontdesk-Webhooks/1.0"
MAX_RESPONSE_BYTES = 4096


def signature_headers(
    webhook_id: str, body: str, moment: dt.datetime, secrets: list[str]
) -> dict[str, str]:
    """The headers of Standard Webhooks; during a rotation one signature for each secret."""
    signatures = [Webhook(secret).sign(webhook_id, moment, body) for secret in secrets if secret]
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def private_networks() -> list[Network]:
    """Networks that the host project allows although they are not public."""
    return [ipaddress.ip_network(text) for text in inbox_settings.WEBHOOK_PRIVATE_NETWORKS]


async def attempt(*, url: str, webhook_id: str, body: str, secrets: list[str]) -> Outcome:
    """POST one delivery once. It never raises: every fault is an outcome."""
    try:
        async with asyncio.timeout(inbox_settings.WEBHOOK_TIMEOUT_SECONDS):
            return await _post(url, webhook_id, body, secrets)
    except TimeoutError:
        return Outcome(error="no answer in time")
    except AddressNotAllowedError as error:
        return Outcome(error=f"url_not_allowed: {error}")
    except (httpx2.HTTPError, httpx2.InvalidURL, ssl.SSLError, OSError, ValueError) as error:
        return Outcome(error=f"connection failed: {type(error).__name__}")


@cache
def _trust() -> ssl.SSLContext:
    """Whom we believe, read once: it takes 20 ms of the event loop, each time."""
    return httpx2.create_ssl_context(trust_env=False)


async def _post(url: str, webhook_id: str, body: str, secrets: list[str]) -> Outcome:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise AddressNotAllowedError("the URL is not a plain http(s) address")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = await resolve(parts.hostname, port, private_networks())
    literal = f"[{address}]" if ":" in address else address
    target = parts._replace(netloc=f"{literal}:{port}", fragment="").geturl()
    now = timezone.now()
    headers = {
        **signature_headers(webhook_id, body, now, secrets),
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        "host": parts.netloc.rpartition("@")[2],
    }
    async with (
        httpx2.AsyncClient(
            trust_env=False, follow_redirects=False, timeout=None, verify=_trust()
        ) as client,
        client.stream(
            "POST",
            target,
            content=body.encode(),
            headers=headers,
            # The certificate is checked against the name, though we connect to the address.
            extensions={"sni_hostname": parts.hostname},
        ) as response,
    ):
        await _skim(response)
        return Outcome(
            status=response.status_code,
            error="" if response.is_success else f"HTTP {response.status_code}",
            retry_after=parse_retry_after(response.headers.get("retry-after"), now),
        )


async def _skim(response: httpx2.Response) -> None:
    """Read a little of the body, so that an endless one costs nothing."""
    taken = 0
    async for chunk in response.aiter_raw():
        taken += len(chunk)
        if taken >= MAX_RESPONSE_BYTES:
            return
