"""Due webhooks as work for the runner."""

from __future__ import annotations

from inbox.actions.webhooks import Claim, claim_deliveries, finish_attempt
from inbox.database import in_thread
from inbox.webhooks.request import attempt


class WebhookSource:
    """The outbox; any server or worker process delivers."""

    name = "webhooks"
    concurrency = 20

    def enabled(self) -> bool:
        """Every process with a runner delivers webhooks."""
        return True

    def claim(self, limit: int) -> list[Claim]:
        """Lease due deliveries."""
        return claim_deliveries(limit)

    async def run(self, item: Claim) -> None:
        """Try one delivery and write down what it came to."""
        outcome = await attempt(
            url=item.url, webhook_id=item.webhook_id, body=item.body, secrets=item.secrets
        )
        await in_thread(finish_attempt, item, outcome)
