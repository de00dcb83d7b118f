"""Fills the database of the settings: articles one by one, conversations in order of time."""

from __future__ import annotations

import importlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection

from benchmarks.size.rows import BOT, Rows
from benchmarks.size.tables import restart_numbers, without_checks, without_indexes
from benchmarks.size.texts import Texts
from benchmarks.size.world import Staff, World, in_order
from bots.actions.articles import rebuild_index
from bots.models import Article, Bot
from inbox.testing import make_operator, make_tag, make_team, make_user

REVIEWER, LEAD, MEMBER = "reviewer", "lead", "member"
"""Accounts: a superuser, an operator who sees every team, one of a single small team."""
TEAMS, OPERATORS, TAGS = 8, 40, 30


@dataclass(frozen=True, slots=True)
class Size:
    """How much is filled in; the same values fill the same database."""

    conversations: int = 200_000
    messages: int = 2_000_000
    articles: int = 10_000
    seed: int = 1


def fill(size: Size, say: Callable[[str], None] = lambda text: None) -> int:
    """Fill the empty, migrated database; ``say`` hears how long each part took.

    Returns:
        How many messages there are, a few less or more than asked for.
    """
    if connection.vendor == "postgresql":
        _execute("SET statement_timeout = 0")
    rng = random.Random(size.seed)
    vocabulary = max(2_000, min(40_000, size.messages // 20))
    texts = Texts(rng, vocabulary=vocabulary, sentences=max(2_000, size.messages // 40))
    staff = make_staff(rng)
    bot = Bot.objects.create(key=BOT, name="Lumen")
    rows = Rows(rng, texts, bot.pk)
    world = World(rng, texts, staff, conversations=size.conversations, messages=size.messages)
    timed(say, "articles", lambda: write_articles(texts, size.articles))
    timed(say, "conversations and messages", lambda: write_stories(world, rows))
    timed(say, "full-text index", lambda: _search().make_index(None, Statements()))
    if connection.vendor == "postgresql":
        restart_numbers(rows.tables)
        timed(say, "vacuum", lambda: _execute("VACUUM ANALYZE"))
    return rows.messages.written


def make_staff(rng: random.Random) -> Staff:
    """Teams, operators and labels, and three accounts to look through."""
    teams = [make_team(f"Team {number}") for number in range(TEAMS)]
    tags = [make_tag(f"label {number}") for number in range(TAGS)]
    operators = [
        make_operator(f"Operator {number}", teams=rng.sample(teams, 2))
        for number in range(OPERATORS)
    ]
    make_user(REVIEWER, is_staff=True, is_superuser=True)
    lead = make_user(LEAD, permissions=["view_inbox", "view_all"])
    member = make_user(MEMBER, permissions=["view_inbox"])
    seats = [
        make_operator("Lead", user=lead, teams=teams),
        make_operator("Member", user=member, teams=teams[-1:]),
    ]
    return Staff(
        teams=[team.pk for team in teams],
        operators=[operator.pk for operator in [*operators, *seats]],
        tags=[tag.pk for tag in tags],
    )


def write_articles(texts: Texts, count: int) -> None:
    """Articles in two languages, with their passages and terms."""
    languages = ("en", "en", "de")
    rows = [
        Article(
            key=f"article-{number}",
            language=languages[number % 3],
            title=texts.title()[:200],
            body=texts.article(),
        )
        for number in range(count)
    ]
    Article.objects.bulk_create(rows, batch_size=500)
    rebuild_index()


def write_stories(world: World, rows: Rows) -> None:
    """Every conversation; what speeds reading up is made again when the rows are there."""
    _search().drop_index(None, Statements())
    with without_indexes(rows.tables), without_checks():
        for story, place in in_order(world.stories()):
            if place == 0:
                rows.begin(story)
            rows.tell(story, place)
        rows.write_visitors()
        rows.flush()


def _search() -> Any:
    return importlib.import_module("inbox.migrations.0002_search")


def timed(say: Callable[[str], None], what: str, work: Callable[[], Any]) -> None:
    """Do it and say how long it took."""
    began = time.monotonic()
    work()
    say(f"{what}: {time.monotonic() - began:.1f} s")


class Statements:
    """What a migration's function needs of a schema editor."""

    connection = connection

    def execute(self, sql: str, params: Any = None) -> None:
        _execute(sql, params)


def _execute(sql: str, params: Any = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
