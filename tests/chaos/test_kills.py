"""Nothing lost, doubled or reordered while servers are killed under load."""

from __future__ import annotations

import pytest

from tests.chaos.rig import Rig
from tests.chaos.storm import Plan, storm
from tests.chaos.verdict import Verdict
from tests.support.sites import MakeSite

ENV = {"BOTS_BACKEND": "scripted", "SCRIPTED_TOKENS": "3", "SCRIPTED_RATE": "1000"}


@pytest.mark.parametrize(
    "kind", ["sqlite", pytest.param("postgres-redis", marks=pytest.mark.services)]
)
async def test_a_thousand_messages_survive_four_kills(make_site: MakeSite, kind: str):
    rig = Rig(make_site(kind, **ENV), server_count=1 if kind == "sqlite" else 2)
    await rig.start()
    plan = Plan(messages=1000, kills=4)
    outcome = await storm(rig, plan)
    assert outcome.verdict == Verdict(), outcome.evidence
    assert outcome.stored == plan.messages
    assert outcome.connects > plan.visitors
