"""Stories as rows of the product's tables."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import accumulate

from benchmarks.size.tables import Table, moment
from benchmarks.size.texts import Texts
from benchmarks.size.world import END, Said, Story
from bots.models import Turn
from inbox.models import Conversation, Event, Handoff, Message, ReadMarker, Visitor

WIDGET = "default"
BOT = "lumen"
YEARS = 5 * 365 * 86_400.0
TURNS_KEPT = 90 * 86_400.0


@dataclass(slots=True)
class Progress:
    """A story while it is told; `heads` are the visitor's numbers after each of its events."""

    story: Story
    heads: list[int]
    asked: str = ""
    """Key of the visitor's latest message."""


class Rows:
    """All tables; stories begin, go on event by event, and visitors are written in the end."""

    def __init__(self, rng: random.Random, texts: Texts, bot: int) -> None:
        self.rng, self.texts, self.bot = rng, texts, bot
        self.events_written = 0
        self.under_way: dict[int, Progress] = {}
        self.people: dict[int, tuple[float, float, str]] = {}
        """Visitor → first seen, last seen, open conversation."""
        self.conversations = Table(
            Conversation,
            "id visitor_id widget_key bot_key status handled_by ownership operator_id"
            " last_operator_id team_id head visitor_head language preview preview_role"
            " waiting_since queued_at snoozed_until rating rating_comment created_at updated_at"
            " closed_at",
        )
        self.messages = Table(
            Message,
            "id conversation_id role kind author_name author_avatar operator_id client_id"
            " dedupe_key content sources quick_replies outcome created_at edited_at redacted_at",
        )
        self.events = Table(
            Event, "id conversation_id seq visitor_seq kind message_id payload actor created_at"
        )
        self.visitors = Table(
            Visitor,
            "id public_id widget_key external_id user_id name email session_id token_epoch"
            " merged_into_id blocked_at language page_url page_title referrer user_agent"
            " created_at last_seen_at",
        )
        self.tags = Table(Conversation.tags.through, "conversation_id tag_id")
        self.markers = Table(ReadMarker, "conversation_id operator_id seq visitor_seq updated_at")
        self.handoffs = Table(
            Handoff,
            "conversation_id seq reason summary tried question language suggested_reply created_at",
        )
        self.turns = Table(
            Turn,
            "key bot_id conversation_id trigger_id first_seq last_seq ownership status revision"
            " attempt fence next_at lease_until said checkpoint sources message_id error_code"
            " input_tokens output_tokens first_token_ms duration_ms response_id trace created_at"
            " finished_at",
        )
        self.tables = [table for table in vars(self).values() if isinstance(table, Table)]

    def begin(self, story: Story) -> None:
        """The conversation's own row, as it will stand in the end, with labels and marks."""
        heads = list(accumulate(int(not said.note) for said in story.said))
        self.under_way[story.number] = Progress(story, heads)
        end, last = story.end, story.said[-1].at
        status = end if end in ("closed", "snoozed") else "open"
        handled_by = {"closed": "nobody", "snoozed": "operator"}.get(end, end)
        waits = moment(last) if end in ("queue", "nobody") else None
        words = [said for said in story.said if said.role != "change" and not said.note][-1]
        self.conversations.add(
            (
                *(story.key, story.visitor, WIDGET, BOT, status, handled_by, 1),
                story.operator if handled_by == "operator" else None,
                *(story.operator, story.team, len(heads), heads[-1], "en"),
                *(words.content[:160], words.role, waits, waits if end == "queue" else None),
                moment(last + YEARS) if end == "snoozed" else None,
                *(story.rating, "", moment(story.began), moment(last)),
                moment(last) if end == "closed" else None,
            )
        )
        for tag in story.tags:
            self.tags.add((story.key, tag))
        read = max(1, len(heads) - (2 if waits else 0))
        for reader in {None, story.operator}:
            self.markers.add((story.key, reader, read, heads[read - 1], moment(last)))
        first, _, _ = self.people.get(story.visitor, (story.began, 0.0, ""))
        self.people[story.visitor] = (first, last, "" if end == "closed" else story.key)

    def tell(self, story: Story, place: int) -> None:
        """One event with its message, turn or hand-off."""
        said, seq, at = story.said[place], place + 1, moment(story.said[place].at)
        progress = self.under_way[story.number]
        seen = place == 0 or progress.heads[place] > progress.heads[place - 1]
        self.events_written += 1
        kind, key, payload = "message", None, "{}"
        if said.role == "change":
            kind, payload = "conversation", '{"status": "open", "handled_by": "operator"}'
            if said.operator is not None and place + 1 < len(story.said):
                packet = ("", "", story.said[0].content, "en", "", at)
                self.handoffs.add((story.key, seq, "button", *packet))
        else:
            key = self._message(progress, said, seq, at)
        number = progress.heads[place] if seen else None
        self.events.add((self.events_written, story.key, seq, number, kind, key, payload, "", at))
        if seq == len(story.said):
            del self.under_way[story.number]

    def _message(self, progress: Progress, said: Said, seq: int, at: str) -> str:
        story, key, client_id = progress.story, self._key(), f"c{self.events_written}"
        author, outcome = "", ""
        match said.role:
            case "user":
                progress.asked = key
                dedupe = f"v{story.visitor}:{client_id}"
            case "assistant":
                author, outcome, dedupe = "Lumen", "done", f"t{self._key()}"
                if said.at > END - TURNS_KEPT:
                    self._turn(progress, key, seq, at)
            case _:
                author, dedupe = "Olga", f"o{said.operator}:{story.key}:{client_id}"
        self.messages.add(
            (
                *(key, story.key, said.role, "note" if said.note else "reply", author, ""),
                *(said.operator, client_id if said.role == "user" else "", dedupe),
                *(said.content, "[]", "[]", outcome, at, None, None),
            )
        )
        return key

    def _turn(self, progress: Progress, message: str, seq: int, at: str) -> None:
        failed = self.rng.random() < 0.01
        self.turns.add(
            (
                *(self._key(), self.bot, progress.story.key, progress.asked, seq - 1, seq - 1, 1),
                *("failed" if failed else "done", 1, 1, 1, at, None, "", "", "[]", message),
                *("provider_down" if failed else "", 900, 150, 300, 2400, "", "{}", at, at),
            )
        )

    def write_visitors(self) -> None:
        """Everybody who came, with the conversation that they see when they come back."""
        for number, (first, last, session) in sorted(self.people.items()):
            name = self.texts.name() if self.rng.random() < 0.4 else ""
            email = f"{name.lower().replace(' ', '.')}{number}@mail.example" if name else ""
            known = f"user:{number}" if self.rng.random() < 0.1 else ""
            self.visitors.add(
                (
                    *(number, self._key(), WIDGET, known, None, name, email),
                    *(session or self._key(), 0, None),
                    *(moment(last) if number % 5000 == 0 else None, "en"),
                    *("https://shop.example/lamps/", "Lamps", "", "Mozilla/5.0"),
                    *(moment(first), moment(last)),
                )
            )

    def flush(self) -> None:
        """Write what is left."""
        for table in self.tables:
            table.flush()

    def _key(self) -> str:
        return f"{self.rng.getrandbits(128):032x}"
