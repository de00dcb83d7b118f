"""``{% chatwidget %}`` in a page."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import translation

from chatwidget.models import Widget


class Elements(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = []
        self.words = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append((self.found[-1][0] if self.found else "", data))


def render(source, context=None):
    template = Template("{% load chatwidget %}" + source)
    return template.render(context if context is not None else Context())


def script(text):
    return next(attrs for tag, attrs in Elements(text).found if tag == "script")


@pytest.fixture(autouse=True)
def _own_widget(db):
    Widget.objects.get_or_create(key="default")


def test_the_tag_is_one_external_script_and_works_without_a_request():
    text = render("{% chatwidget %}")
    attrs = script(text)
    assert attrs["src"] == "/chat/widget.js"
    assert "defer" in attrs
    assert attrs["data-widget"] == "default"
    assert attrs["data-base"] == "/chat/"
    assert attrs["data-panel"].startswith("/chat/panel.js?v=")
    assert attrs["data-accent"] == "#3f4fdb"
    assert "nonce" not in attrs
    assert all(tag != "script" or not words.strip() for tag, words in Elements(text).words)
    assert ("a", {"href": "/chat/?widget=default"}) in Elements(text).found


def test_another_widget_is_named_by_its_key(widget):
    assert script(render('{% chatwidget "shop" %}'))["data-widget"] == "shop"
    assert script(render("{% chatwidget key %}", Context({"key": "shop"})))["data-widget"] == "shop"


def test_a_widget_that_is_off_or_unknown_leaves_nothing(widget):
    Widget.objects.filter(key="shop").update(enabled=False)
    assert render('{% chatwidget "shop" %}') == ""
    assert render('{% chatwidget "nowhere" %}') == ""


def test_the_pages_nonce_goes_along(widget):
    request = RequestFactory().get("/")
    request.csp_nonce = "n0nce"
    page = Context({"request": request})
    assert script(render("{% chatwidget %}", page))["nonce"] == "n0nce"
    assert script(render("{% chatwidget %}", Context({"csp_nonce": "other"})))["nonce"] == "other"


def test_the_page_decides_language_and_look(widget):
    with translation.override("de"):
        attrs = script(render('{% chatwidget "shop" theme="dark" %}'))
    assert attrs["data-lang"] == "de"
    assert attrs["data-label"] == "Chat öffnen"
    assert attrs["data-theme"] == "dark"


def test_nothing_of_a_page_gets_out_of_its_attribute(widget):
    attrs = script(render("{% chatwidget theme=evil %}", Context({"evil": '"><script>alert(1)'})))
    assert attrs["data-theme"] == '"><script>alert(1)'


def test_the_tag_costs_one_query(widget, django_assert_num_queries):
    with django_assert_num_queries(1):
        render('{% chatwidget "shop" %}')
