"""One claimed turn from its first word to its end: attempts, retries, failure, hand-off."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from dataclasses import replace
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from bots import prompt
from bots.actions import endings, leases
from bots.backends import get_backend
from bots.backends.base import Ask, Backend, HandOff
from bots.conf import bots_settings
from bots.errors import BackendError
from bots.models import Turn
from bots.running.attempt import Answered, Attempt
from bots.running.brief import Brief, failures_in_a_row, load
from bots.running.decisions import (
    Retry,
    after_error,
    hands_off_after,
    limit_reached,
    refusal,
)
from bots.running.keeper import keeper
from bots.running.lease import Lease, LostClaimError
from bots.running.tally import Tally
from bots.running.words import apology, packet_of
from inbox.assignment.packet import Packet
from inbox.conf import inbox_settings
from inbox.database import in_work_thread
from inbox.models import Conversation, HandoffReason
from inbox.realtime.batches import Change
from inbox.realtime.streams import Stream, open_stream

logger = logging.getLogger("frontdesk.turns")


class Run:
    """Works on one turn on the event loop until it has ended or is no longer ours.

    Args:
        turn: as ``leases.claim`` returned it.
        since: ``time.monotonic()`` from before the claim.
    """

    def __init__(self, turn: Turn, since: float) -> None:
        self.turn = turn
        self.conversation_id = str(turn.conversation_id)
        self.claim = leases.claim_of(turn)
        self.lease = Lease(self.claim, since)
        self._tally = Tally(turn)
        self._attempt: Attempt | None = None
        self._stored = (turn.checkpoint, len(turn.sources))
        self._renewed_at = since
        self._work: asyncio.Task[None] | None = None
        self._is_ending = False

    async def run(self) -> None:
        """Work until the end. Cancelling gives the turn to whoever looks next.

        Trouble with the database is raised: the lease runs out and the turn is claimed anew.
        """
        self._work = asyncio.get_running_loop().create_task(self._answer())
        keeper().add(self)
        try:
            await asyncio.wait([self._work])
        except asyncio.CancelledError:
            self._work.cancel()
            with contextlib.suppress(Exception):
                await in_work_thread(leases.release, self.claim)
            raise
        finally:
            keeper().remove(self)
            self._close_stream()
        if not self._work.cancelled():
            self._work.result()

    def stop(self) -> None:
        """Say nothing more: somebody has ended the turn."""
        self._close_stream()
        if self._work is not None and not self._is_ending:
            self._work.cancel()

    def hush(self) -> None:
        """Say what waits to be said, and then nothing for a moment."""
        if self._attempt is not None:
            self._attempt.stream.flush()
        self.lease.hush()

    def is_ended_by(self, change: Change) -> bool:
        """Whether what was just committed takes the conversation from this turn."""
        ended = any(ending.turn == str(self.turn.key) for ending in change.endings)
        return change.ownership > self.turn.ownership or ended

    def beat(self) -> leases.Beat | None:
        """A sign of life if one is due: new text, new sources, or a third of the lease gone."""
        text, sources = self._shown()
        is_new = (text, len(sources)) != self._stored
        if not is_new and time.monotonic() < self._renewed_at + bots_settings.LEASE_SECONDS / 3:
            return None
        if not is_new:
            return leases.Beat(claim=self.claim)
        return leases.Beat(claim=self.claim, text=text, sources=sources)

    def kept(self, beat: leases.Beat, since: float) -> None:
        """The database took a beat."""
        self.lease.extend(since)
        self._renewed_at = since
        if beat.text is not None:
            self._stored = (beat.text, len(beat.sources or []))

    async def _answer(self) -> None:
        try:
            await self._attempts()
        except LostClaimError:
            logger.info("turn %s belongs to somebody else now", self.turn.key)

    async def _attempts(self) -> None:
        shorten = unchain = False
        while True:
            try:
                backend = _backend(self.turn)
                brief = await in_work_thread(load, self.turn, backend)
                if brief is None:
                    return await self._drop()
                if await self._refuse(brief):
                    return
                ask = _changed(brief.ask, shorten=shorten, unchain=unchain)
                answer = await self._one_attempt(brief, backend, ask)
            except BackendError as error:
                retry = self._after(error)
                if retry is None:
                    return await self._give_up(error.code)
                shorten = shorten or retry.shorten
                unchain = unchain or error.code == "previous_response_unknown"
                await self._begin_again(retry)
            else:
                return await self._end(answer)

    async def _refuse(self, brief: Brief) -> bool:
        """End the turn without asking, if it must not go on."""
        code = refusal(self.turn.attempt, brief.open_calls)
        if code:
            await self._give_up(code)
            return True
        code = limit_reached(self.turn.bot, brief.spent, factor=inbox_settings.RATE_FACTOR)
        if code:
            await self._hand_over(Packet(reason=HandoffReason.LIMIT), code)
        return bool(code)

    async def _one_attempt(self, brief: Brief, backend: Backend, ask: Ask) -> Answered | HandOff:
        self._tally.note_passages(ask.passages)
        await self.lease.confirm()
        attempt = self._attempt = Attempt(
            brief=brief,
            backend=backend,
            stream=self._open_stream(),
            lease=self.lease,
            tally=self._tally,
        )
        limit = asyncio.timeout(2 * bots_settings.TOTAL_SECONDS)
        try:
            async with limit:
                return await attempt.run(ask, sources=self.turn.sources)
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise BackendError("backend_timeout", "tools and answer together") from error
        finally:
            self.turn.said, self.turn.sources = attempt.said, attempt.sources

    def _after(self, error: BackendError) -> Retry | None:
        logger.warning("turn %s, attempt %s: %s", self.turn.key, self.turn.attempt, error)
        self._tally.note_failure(error, revision=self.turn.revision)
        return after_error(
            error,
            attempt=self.turn.attempt,
            attempts=bots_settings.ATTEMPTS,
            elapsed=self._tally.elapsed,
            window=bots_settings.RETRY_SECONDS,
        )

    async def _begin_again(self, retry: Retry) -> None:
        self._close_stream()
        await asyncio.sleep(retry.delay)
        text, _ = self._shown()
        revision = await in_work_thread(
            leases.begin_again, self.claim, shown=text, trace=self._tally.trace
        )
        if revision is None:
            raise LostClaimError
        self.turn.revision = revision
        self.turn.attempt += 1

    async def _end(self, answer: Answered | HandOff) -> None:
        if isinstance(answer, HandOff):
            await self._hand_over(packet_of(answer))
            return
        self._is_ending = True
        _, sources = self._shown()
        record = self._tally.record(response_id=answer.response_id)
        await in_work_thread(
            endings.finish, self.turn, self.claim, record, content=answer.text, sources=sources
        )

    async def _hand_over(self, packet: Packet, code: str = "") -> None:
        self._is_ending = True
        if self._attempt is not None:
            self._attempt.stream.flush()
        text, sources = self._shown()
        await in_work_thread(
            endings.hand_over,
            self.turn,
            self.claim,
            self._tally.record(error_code=code),
            packet=packet,
            text=text,
            sources=sources,
        )

    async def _give_up(self, code: str) -> None:
        self._is_ending = True
        self._close_stream()
        await in_work_thread(self._fail, code)

    def _fail(self, code: str) -> bool:
        limit = self.turn.bot.hand_off_after_failures
        follows = hands_off_after(failures_in_a_row(self.turn) + 1, limit)
        conversation = Conversation.objects.filter(pk=self.turn.conversation_id).first()
        if conversation is None:
            return False
        return endings.fail(
            self.turn,
            self.claim,
            self._tally.record(error_code=code),
            apology=apology(conversation, person_follows=follows),
            packet=Packet(reason=HandoffReason.FAILURE) if follows else None,
        )

    async def _drop(self) -> None:
        """There is nothing to answer any more: the words were redacted, or others answer."""
        self._is_ending = True
        await in_work_thread(endings.drop, self.turn, self.claim, self._tally.record())

    def _shown(self) -> tuple[str, list[dict[str, Any]]]:
        if self._attempt is None:
            return self.turn.checkpoint, self.turn.sources
        return self._attempt.stream.text, self._attempt.sources

    def _open_stream(self) -> Stream:
        return open_stream(
            conversation_id=self.conversation_id,
            turn=str(self.turn.key),
            revision=self.turn.revision,
            ownership=self.turn.ownership,
            message_id=str(self.turn.message_id),
            flush_seconds=bots_settings.FLUSH_MS / 1000,
        )

    def _close_stream(self) -> None:
        if self._attempt is not None:
            self._attempt.stream.close()


def _backend(turn: Turn) -> Backend:
    try:
        return get_backend(turn.bot.backend_alias)
    except ImproperlyConfigured as error:
        raise BackendError("unknown_backend", str(error)) from error


def _changed(ask: Ask, *, shorten: bool, unchain: bool) -> Ask:
    if unchain:
        ask = replace(ask, previous_response_id=None)
    return prompt.shortened(ask) if shorten else ask
