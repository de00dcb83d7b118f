"""What ``frontdesk doctor`` says of the widgets."""

from __future__ import annotations

from chatwidget import look
from chatwidget.doctor import check_widgets
from chatwidget.models import Widget
from inbox.ports import doctor_checks


class Robbie:
    def bot_name(self, bot_key):
        return "Robbie" if bot_key == "robbie" else None


def test_a_site_without_its_own_widget_is_told_so(db):
    Widget.objects.all().delete()
    (finding,) = check_widgets()
    assert not finding.ok
    assert "default" in finding.detail
    assert check_widgets in doctor_checks()


def test_a_bot_that_is_off_is_named(widget, monkeypatch):
    monkeypatch.setattr(look, "answer_sources", lambda: [Robbie()])
    Widget.objects.update_or_create(key="default", defaults={"bot_key": "robbie"})
    assert [finding.ok for finding in check_widgets()] == [True]
    Widget.objects.filter(key="shop").update(bot_key="gone")
    assert [finding.title for finding in check_widgets() if not finding.ok] == ["Widget shop"]
