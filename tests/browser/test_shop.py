"""The lamp shop in a real browser: accessible, quiet, and the same in every dress."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

PAGES = ["/", "/lamps/orbit/", "/basket/", "/help/", "/help/en/returns/", "/privacy/", "/login/"]


@pytest.fixture(scope="module")
def shop(make_module_site):
    """The address of a running demo."""
    return make_module_site().start().url


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_accessible_and_complains_of_nothing(
    shop, page, complaints, axe, path, scheme
):
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{shop}{path}")
    assert axe() == []
    assert complaints == []


@pytest.mark.parametrize("width", [320, 390, 768, 1440])
def test_no_page_scrolls_sideways(shop, page, width):
    page.set_viewport_size({"width": width, "height": 800})
    for path in PAGES:
        for direction in ("ltr", "rtl"):
            page.goto(f"{shop}{path}?dir={direction}")
            overflow = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert overflow <= 0, (path, direction)


def test_a_lamp_goes_into_the_basket_with_the_keyboard_alone(shop, page):
    page.goto(f"{shop}/lamps/fold/")
    page.get_by_role("button", name="Add to basket").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/basket/")
    assert page.get_by_role("link", name="Fold").is_visible()
    page.get_by_role("button", name="Remove Fold").click()
    assert page.get_by_text("It is empty.").is_visible()


def test_looking_at_the_shop_asks_nobody_else_and_leaves_no_cookie(shop, page, context):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(shop)
    page.wait_for_load_state("networkidle")
    assert [url for url in asked if not url.startswith(shop)] == []
    assert context.cookies() == []
