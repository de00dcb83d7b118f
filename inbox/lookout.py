"""Every operator's socket of this process: who is told of a change, who no longer may.

One watcher of the hub for all sockets. It renews everybody's rights and presence on a timer,
so that closing an account or leaving a team is felt within seconds on every process.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections import OrderedDict
from typing import Protocol

from inbox.actions import presence
from inbox.database import in_thread
from inbox.models import Conversation, Status
from inbox.outages import Outage
from inbox.realtime.batches import Change, Control
from inbox.realtime.hub import Hub
from inbox.sight import Login, Sight, load_sights

logger = logging.getLogger("frontdesk.lookout")

RENEW_SECONDS = 3.0
"""How often rights are asked for again."""

TOUCH_SECONDS = 15.0
"""How often an open socket renews its operator's presence lease."""

KNOWN_TEAMS = 20_000
"""Conversations whose team is remembered, to tell who sees one no longer."""


class Seat(Protocol):
    """An operator's socket as the lookout needs it."""

    login: Login
    sight: Sight
    operator_id: int

    def tell(self, change: Change) -> None:
        """A conversation in sight changed."""

    def lose(self, conversation_id: str) -> None:
        """A conversation went out of sight."""

    def gain(self) -> None:
        """More came into sight; the page must ask for its lists again."""

    def expel(self) -> None:
        """The account may no longer be here."""


class Lookout:
    """The sockets of one event loop."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.seats: set[Seat] = set()
        self._teams: OrderedDict[str, int | None] = OrderedDict()
        self._task: asyncio.Task[None] | None = None
        self._soon = asyncio.Event()
        self._touched: dict[int, float] = {}
        self._outage = Outage(logger, "the database for operators' rights")

    async def join(self, seat: Seat) -> None:
        """Begin telling a socket."""
        if not self.seats:
            self._hub.watchers.add(self)
        self.seats.add(seat)
        if self._task is None:
            self._task = self._hub.loop.create_task(self._run())
            for key, team_id in await in_thread(open_conversations):
                self._teams.setdefault(key, team_id)

    def leave(self, seat: Seat) -> None:
        """Forget a socket."""
        self.seats.discard(seat)
        if not self.seats:
            self._hub.watchers.discard(self)
            self._teams.clear()
            self._touched.clear()
            if self._task is not None:
                self._task.cancel()
                self._task = None

    def on_change(self, change: Change) -> None:
        """Tell those who see it; tell those who saw it that it is gone."""
        key = change.conversation_id
        # A change that the head poll found does not know the team before it.
        before = {change.previous_team_id, self._teams.get(key, change.previous_team_id)}
        self._remember(key, change.team_id)
        for seat in tuple(self.seats):
            if seat.sight.sees(change.team_id):
                seat.tell(change)
            elif any(seat.sight.sees(team_id) for team_id in before):
                seat.lose(key)

    def on_control(self, control: Control) -> None:
        """Rights changed: ask again now."""
        if control.kind == "operator":
            self._soon.set()

    async def renew(self) -> None:
        """Ask for everybody's rights once and act on what changed."""
        seats = tuple(self.seats)
        sights = await in_thread(load_sights, {seat.login for seat in seats})
        for seat in seats:
            if seat in self.seats:
                self._apply(seat, sights[seat.login])
        await self._touch()

    def _apply(self, seat: Seat, sight: Sight) -> None:
        before, seat.sight = seat.sight, sight
        if not sight.works:
            seat.expel()
            return
        if sight == before:
            return
        for key, team_id in self._teams.items():
            if before.sees(team_id) and not sight.sees(team_id):
                seat.lose(key)
        if sight.sees_all > before.sees_all or sight.teams - before.teams:
            seat.gain()

    async def _touch(self) -> None:
        """An open socket is a sign of life; a background tab may be too slow to give others."""
        now = time.monotonic()
        here = {seat.operator_id for seat in self.seats}
        due = [pk for pk in here if now - self._touched.get(pk, -TOUCH_SECONDS) >= TOUCH_SECONDS]
        if due:
            self._touched.update(dict.fromkeys(due, now))
            await in_thread(_touch_all, due)

    async def _run(self) -> None:
        while True:
            try:
                await self.renew()
            except Exception as error:
                self._outage.away(error)
            else:
                self._outage.back()
            self._soon.clear()
            try:
                async with asyncio.timeout(RENEW_SECONDS):
                    await self._soon.wait()
            except TimeoutError:
                continue

    def _remember(self, key: str, team_id: int | None) -> None:
        self._teams[key] = team_id
        self._teams.move_to_end(key)
        if len(self._teams) > KNOWN_TEAMS:
            self._teams.popitem(last=False)


def open_conversations() -> list[tuple[str, int | None]]:
    """Id and team of what is not closed, the most recent ones."""
    rows = Conversation.objects.exclude(status=Status.CLOSED).order_by("-updated_at", "-id")
    pairs: list[tuple[uuid.UUID, int | None]] = list(
        rows.values_list("id", "team_id")[:KNOWN_TEAMS]
    )
    return [(str(key), team_id) for key, team_id in pairs]


def _touch_all(operator_ids: list[int]) -> None:
    for operator_id in operator_ids:
        presence.touch(operator_id=operator_id)


_lookouts: dict[asyncio.AbstractEventLoop, Lookout] = {}


def get_lookout(hub: Hub) -> Lookout:
    """The lookout of the hub's event loop."""
    found = _lookouts.get(hub.loop)
    if found is None or found._hub is not hub:
        for old in [loop for loop in _lookouts if loop.is_closed()]:
            del _lookouts[old]
        found = _lookouts[hub.loop] = Lookout(hub)
    return found
