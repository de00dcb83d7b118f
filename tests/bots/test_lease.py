"""A worker's own view of its claim: when it may speak, and when it has to ask first."""

from __future__ import annotations

import asyncio
import threading
import time
from unittest.mock import Mock

import pytest

from bots.actions.leases import Beat, Claim, Renewed
from bots.running import keeper as keepers
from bots.running import lease as module
from bots.running.lease import Lease, LostClaimError
from inbox.database import WORK_THREADS, in_work_thread

CLAIM = Claim(1, 1)


def test_a_fresh_claim_may_speak_until_its_lease_is_over(settings):
    settings.BOTS_LEASE_SECONDS = 10
    assert Lease(CLAIM, time.monotonic()).is_good
    assert not Lease(CLAIM, time.monotonic() - 11).is_good


def test_a_worker_that_was_hushed_is_quiet_although_its_lease_is_renewed():
    """Renewed in the very moment in which a person takes over."""
    lease = Lease(CLAIM, time.monotonic())
    lease.hush()
    lease.extend(time.monotonic())
    assert not lease.is_good


def test_an_older_renewal_never_shortens_a_lease(settings):
    settings.BOTS_LEASE_SECONDS = 10
    lease = Lease(CLAIM, time.monotonic())
    lease.extend(time.monotonic() - 20)
    assert lease.is_good


@pytest.mark.parametrize("kept", [True, False])
async def test_a_worker_that_is_not_sure_asks_once(monkeypatch, settings, kept):
    settings.BOTS_LEASE_SECONDS = 10
    asked = []

    def renew(beats):
        asked.append([beat.claim for beat in beats])
        mine = frozenset({CLAIM})
        return Renewed(kept=mine if kept else frozenset(), lost=frozenset() if kept else mine)

    monkeypatch.setattr(module, "renew", renew)
    lease = Lease(CLAIM, time.monotonic() - 11)
    if kept:
        await lease.confirm()
        assert lease.is_good
        await lease.confirm()
    else:
        with pytest.raises(LostClaimError):
            await lease.confirm()
    assert asked == [[CLAIM]]


async def test_no_lease_runs_out_behind_work_that_takes_long(monkeypatch):
    """Its own worker would be the next to claim the turn, and begin it anew."""
    gate = threading.Event()
    busy = [asyncio.create_task(in_work_thread(gate.wait, 30)) for _ in range(4 * WORK_THREADS)]
    await asyncio.sleep(0)
    kept = Renewed(kept=frozenset({CLAIM}), lost=frozenset())
    for owner in (module, keepers):
        monkeypatch.setattr(owner, "renew", lambda beats: kept)
    run = Mock()
    try:
        await asyncio.wait_for(Lease(CLAIM, time.monotonic() - 1000).confirm(), 5)
        await asyncio.wait_for(keepers.Keeper()._renew({run: Beat(claim=CLAIM)}), 5)
        assert not any(task.done() for task in busy)
    finally:
        gate.set()
        await asyncio.gather(*busy)
    run.kept.assert_called_once()
