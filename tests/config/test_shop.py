"""The lamp shop: its pages, their policy, the basket, the languages."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.contrib.auth import get_user_model
from django.test import override_settings

from bots.models import Article
from config.demo.basket import Basket
from config.demo.catalogue import BY_SLUG, LAMPS
from config.demo.seed import seed

pytestmark = pytest.mark.django_db

PAGES = ["/", "/lamps/orbit/", "/basket/", "/help/", "/privacy/", "/login/"]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_answers_under_the_strict_policy(client, path):
    response = client.get(path)
    assert response.status_code == 200
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    body = response.content.decode()
    assert "<style" not in body
    assert " style=" not in body


def test_behind_tls_and_with_redis_the_deployment_check_is_content():
    # Nothing is asked of this address: the checks read settings only.
    production = {"TLS": "1", "DEBUG": "0", "REDIS_URL": "redis://127.0.0.1:6379/0"}
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        env={**os.environ, **production},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_the_admin_may_write_html_with_its_own_scripts(client):
    policy = client.get("/admin/login/").headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "trusted-types" not in policy


async def test_the_policy_holds_under_asgi_too(async_client):
    response = await async_client.get("/privacy/")
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


async def test_static_files_are_served_without_a_web_server(async_client):
    response = await async_client.get("/static/shop/shop.css")
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/css")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    again = await async_client.get(
        "/static/shop/shop.css", headers={"if-modified-since": response.headers["Last-Modified"]}
    )
    assert again.status_code == 304


async def test_static_files_follow_an_edit_while_debugging(async_client):
    with override_settings(WHITENOISE_AUTOREFRESH=True):
        response = await async_client.get("/static/shop/icon.svg")
        missing = await async_client.get("/static/shop/none.svg")
    assert (response.status_code, missing.status_code) == (200, 404)


def test_static_files_are_served_by_a_synchronous_server_too(client):
    assert client.get("/static/shop/icon.svg").status_code == 200


def test_looking_at_the_shop_leaves_no_cookie(client):
    assert not client.get("/").cookies


def test_a_basket_is_filled_and_emptied(client):
    for _ in range(2):
        client.post("/basket/orbit/add/")
    page = client.get("/basket/").content.decode()
    assert "Orbit" in page
    assert "238.00" in page
    client.post("/basket/orbit/remove/")
    assert "It is empty" in client.get("/basket/").content.decode()


def test_a_basket_ends_at_nine_and_forgets_lamps_that_are_gone():
    session = {"basket": {"orbit": 9, "candle": 1}}
    basket = Basket(session)
    basket.add(BY_SLUG["orbit"])
    assert [(line.lamp.slug, line.count) for line in basket] == [("orbit", 9)]


@pytest.mark.parametrize("path", ["/lamps/none/", "/help/en/none/", "/language/fr/", "/nowhere/"])
def test_what_does_not_exist_is_a_page_that_says_so(client, path):
    response = client.get(path)
    assert response.status_code == 404
    assert "Lumen" in response.content.decode()


def test_the_browsers_language_is_spoken(client):
    body = client.get("/", headers={"accept-language": "de-AT,de;q=0.9"}).content.decode()
    assert 'lang="de"' in body
    assert "Gutes Licht für lange Abende" in body


def test_a_chosen_language_is_remembered_and_leads_back(client):
    response = client.get("/language/de/?next=/help/")
    assert response.headers["Location"] == "/help/"
    assert 'lang="de"' in client.get("/").content.decode()


def test_choosing_a_language_leads_nowhere_else(client):
    response = client.get("/language/de/?next=https://evil.example/")
    assert response.headers["Location"] == "/"


def test_any_page_can_be_seen_from_right_to_left(client):
    assert 'dir="rtl"' in client.get("/?dir=rtl").content.decode()
    assert 'dir="ltr"' in client.get("/?dir=sideways").content.decode()


def test_help_lists_articles_of_the_language_and_shows_them(client):
    Article.objects.create(
        key="returns", language="en", title="Returns", body="Within **30** days."
    )
    Article.objects.create(key="returns", language="de", title="Rückgabe", body="30 Tage.")
    listing = client.get("/help/").content.decode()
    assert "/help/en/returns/" in listing
    assert "Rückgabe" not in listing
    assert "<strong>30</strong>" in client.get("/help/en/returns/").content.decode()


def test_seeding_twice_changes_nothing_that_a_person_changed(client):
    seed()
    users = get_user_model().objects
    users.filter(username="operator").update(first_name="Renamed")
    seed()
    assert users.get(username="operator").first_name == "Renamed"
    assert users.filter(username__in=["operator", "operator2", "admin"]).count() == 3
    for name in ("operator", "operator2", "admin"):
        assert client.login(username=name, password=name)


def test_a_signed_in_person_is_greeted_and_signs_out(client):
    seed()
    client.login(username="operator", password="operator")
    assert "Hello, Olga" in client.get("/").content.decode()
    client.post("/logout/")
    assert "Sign in" in client.get("/").content.decode()


def test_a_wrong_password_is_refused_in_words(client):
    body = client.post("/login/", {"username": "olga", "password": "x"}).content.decode()
    assert "do not belong together" in body


def test_every_lamp_has_its_drawing(client):
    for lamp in LAMPS:
        assert client.get(f"/static/{lamp.picture}").status_code == 200
