"""Bots and turns in the Django admin, checks, doctor and traces."""

from __future__ import annotations

import uuid

import pytest
from django.core.exceptions import ValidationError
from django.db.models.functions import Now
from django.urls import clear_script_prefix, reverse
from django.utils import timezone

from bots import checks
from bots.actions.bots import save_bot
from bots.doctor import check_bots
from bots.models import Bot, ToolCall, Turn, TurnStatus
from bots.tools import tool
from bots.tracing import trace_urls
from inbox.ports import doctor_checks
from inbox.testing import make_visitor
from tests.support.turns import make_bot, say

pytestmark = pytest.mark.django_db


@tool
def stock(lamp: str) -> str:
    """How many there are."""
    return "7"


@pytest.fixture
def turn(robbie) -> Turn:
    say(make_visitor("Vera"))
    Turn.objects.update(
        status=TurnStatus.FAILED,
        error_code="backend_timeout",
        trace={
            "passages": [{"url": "/a", "title": "<b>A", "score": 0.5}],
            "failures": [{"revision": 1, "code": "backend_timeout", "after_ms": 12}],
        },
        finished_at=timezone.now(),
    )
    found = Turn.objects.get()
    ToolCall.objects.create(turn=found, round=1, position=0, call_id="c", name="stock")
    return found


def form_of(bot: Bot, **changes) -> dict:
    names = ("name", "key", "avatar_url", "instructions", "backend", "model")
    numbers = ("hand_off_after_failures", "turns_per_visitor_day", "turns_per_day")
    fields = {name: getattr(bot, name) for name in (*names, *numbers, "tokens_per_day")}
    return {**fields, "enabled": "on", **changes}


def test_the_list_of_bots_says_which_can_answer(admin_client, robbie):
    make_bot("broken", name="Broken", backend="nonsense")
    page = admin_client.get(reverse("admin:frontdesk_bots_bot_changelist")).content.decode()
    assert "Robbie" in page
    assert "stepped" in page
    assert "icon-no.svg" in page
    assert "icon-yes.svg" in page


def test_a_bot_is_changed_in_the_admin(admin_client, robbie, settings):
    settings.BOTS_TOOLS = [f"{__name__}.stock"]
    url = reverse("admin:frontdesk_bots_bot_change", args=[robbie.pk])
    page = admin_client.get(url).content.decode()
    assert "scripted" in page
    assert "stock" in page
    form = form_of(robbie, backend="scripted", tools=["stock"], temperature="0.3")
    assert admin_client.post(url, form).status_code == 302
    robbie.refresh_from_db()
    assert (robbie.backend, robbie.tools, robbie.temperature) == ("scripted", ["stock"], 0.3)
    assert robbie.key == "default"


def test_what_left_the_settings_is_kept_and_the_page_opens(admin_client, robbie, settings):
    settings.BOTS_TOOLS = ["nonsense.path"]
    robbie.tools, robbie.backend = ["gone"], "vanished"
    robbie.save()
    url = reverse("admin:frontdesk_bots_bot_change", args=[robbie.pk])
    page = admin_client.get(url).content.decode()
    assert "gone" in page
    answer = admin_client.post(url, form_of(robbie, tools=["gone"]))
    assert "no bot backend" in answer.content.decode()


def test_a_bot_is_added(admin_client, robbie):
    url = reverse("admin:frontdesk_bots_bot_add")
    assert admin_client.get(url).status_code == 200
    form = form_of(Bot(name="Second", key="second"))
    assert admin_client.post(url, form).status_code == 302
    assert Bot.objects.get(key="second").name == "Second"


def test_a_bot_with_senseless_values_is_refused(robbie):
    robbie.temperature = 9
    with pytest.raises(ValidationError):
        save_bot(robbie)


def test_a_bot_with_history_cannot_be_deleted(admin_client, turn):
    url = reverse("admin:frontdesk_bots_bot_delete", args=[turn.bot_id])
    admin_client.post(url, {"post": "yes"})
    assert Bot.objects.filter(pk=turn.bot_id).exists()


def test_turns_are_listed_with_their_figures_and_found_by_conversation(admin_client, turn):
    url = reverse("admin:frontdesk_bots_turn_changelist")
    page = admin_client.get(url, {"q": str(turn.conversation_id)}).content.decode()
    assert "backend_timeout" in page
    assert "Vera" in page
    page = admin_client.get(url, {"q": str(uuid.uuid4())}).content.decode()
    assert "Vera" not in page


def test_a_turn_shows_how_it_went_and_cannot_be_edited(admin_client, turn):
    url = reverse("admin:frontdesk_bots_turn_change", args=[turn.pk])
    page = admin_client.get(url).content.decode()
    assert "took too long" in page
    assert "&lt;b&gt;A" in page
    assert "12 ms" in page
    assert "stock" in page
    assert "_save" not in page
    assert admin_client.post(url, {"status": "done"}).status_code == 403
    assert admin_client.get(reverse("admin:frontdesk_bots_turn_add")).status_code == 403


def test_a_turn_without_anything_to_tell_opens_too(admin_client, turn):
    Turn.objects.update(trace={}, error_code="")
    url = reverse("admin:frontdesk_bots_turn_change", args=[turn.pk])
    assert admin_client.get(url).status_code == 200


def test_a_message_leads_to_the_turn_behind_it(turn):
    keys = [f"t{turn.key}", f"t{uuid.uuid4()}", "v1:abc", "tnonsense", ""]
    expected = reverse("admin:frontdesk_bots_turn_change", args=[turn.pk])
    assert trace_urls(keys) == {f"t{turn.key}": expected}


def test_without_the_admin_there_is_no_trace(turn, settings):
    settings.ROOT_URLCONF = "chatwidget.urls"
    clear_script_prefix()
    assert trace_urls([f"t{turn.key}"]) == {}


def ids(found) -> list[str]:
    return [message.id.removeprefix("frontdesk_bots.") for message in found]


def test_a_good_configuration_has_nothing_to_complain_about(robbie):
    assert checks.check_backend(None) == []
    assert checks.check_dispatcher(None) == []
    assert checks.check_numbers(None) == []


def test_a_backend_that_cannot_be_made_is_an_error(robbie, settings):
    settings.BOTS_BACKEND = "nonsense"
    assert ids(checks.check_backend(None)) == ["E001"]


def test_a_backend_that_cannot_answer_yet_is_a_warning(settings):
    settings.BOTS_BACKENDS = {}
    settings.BOTS_BACKEND = "responses"
    settings.BOTS_MODEL = settings.BOTS_API_KEY = settings.BOTS_BASE_URL = ""
    assert ids(checks.check_backend(None)) == ["W001", "W001"]


def test_an_unknown_dispatcher_is_an_error(settings):
    settings.BOTS_DISPATCHER = "celery"
    assert ids(checks.check_dispatcher(None)) == ["E002"]


def test_procrastinate_needs_its_app_and_postgres_and_more_than_one_job_at_once(
    settings, monkeypatch
):
    monkeypatch.setattr(checks.connection, "vendor", "sqlite")
    settings.BOTS_DISPATCHER = "procrastinate"
    assert ids(checks.check_dispatcher(None)) == ["W004", "E003", "E004"]
    settings.PROCRASTINATE_WORKER_DEFAULTS = {"concurrency": 50}
    assert ids(checks.check_dispatcher(None)) == ["E003", "E004"]


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("BOTS_CONCURRENCY", 0, ["E005"]),
        ("BOTS_LEASE_SECONDS", 1, ["W002"]),
        ("BOTS_LEASE_SECONDS", 60, ["W003"]),
    ],
)
def test_numbers_that_cannot_work_are_named(settings, name, value, found):
    setattr(settings, name, value)
    assert ids(checks.check_numbers(None)) == found


def findings() -> dict[str, bool]:
    return {finding.title: finding.ok for finding in check_bots()}


def test_the_doctor_asks_the_bots():
    assert check_bots in doctor_checks()


def test_the_doctor_finds_a_healthy_bot(robbie):
    assert findings() == {"Bot default": True, "Turns": True}


def test_the_doctor_finds_bots_that_cannot_answer(robbie, settings):
    settings.BOTS_CIRCUIT_FAILURES = 1
    make_bot("unset", backend="chat")
    make_bot("broken", backend="nonsense")
    settings.BOTS_MODEL = settings.BOTS_API_KEY = settings.BOTS_BASE_URL = ""
    say(make_visitor())
    Turn.objects.update(status=TurnStatus.FAILED, error_code="backend_quota", finished_at=Now())
    assert findings() == {
        "Bot unset": False,
        "Bot broken": False,
        "Bot default": False,
        "Turns": True,
    }


def test_the_doctor_finds_turns_that_nobody_runs(robbie):
    say(make_visitor())
    Turn.objects.update(next_at="2020-01-01T00:00Z")
    assert findings()["Turns"] is False


def test_the_doctor_knows_sites_without_bots(robbie):
    Bot.objects.update(enabled=False)
    assert findings() == {"Bots": True, "Turns": True}
