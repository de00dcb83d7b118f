"""Articles in the Django admin."""

from __future__ import annotations

import pytest
from django.urls import reverse

from bots.actions.articles import save_article
from bots.knowledge.search import search
from bots.models import Article, Passage, Term

pytestmark = pytest.mark.django_db

LIST = "admin:frontdesk_bots_article_changelist"
FIELDS = {
    "title": "Returns",
    "language": "en",
    "key": "returns",
    "published": "on",
    "body": "Return a lamp.\n\n## Deadline\n\n30 <b>days</b>.",
    "url": "",
    "widget_keys": "",
}


@pytest.fixture
def returns() -> Article:
    return save_article(**{**FIELDS, "published": True, "widget_keys": ["demo"]})


def change_url(article: Article) -> str:
    return reverse("admin:frontdesk_bots_article_change", args=[article.pk])


def test_writing_an_article_makes_it_found(admin_client) -> None:
    answer = admin_client.post(
        reverse("admin:frontdesk_bots_article_add"), FIELDS | {"widget_keys": "demo, shop"}
    )
    assert answer.status_code == 302
    made = Article.objects.get()
    assert made.widget_keys == ["demo", "shop"]
    assert search("return a lamp", language="en", widget_key="shop")


def test_changing_an_article_makes_its_passages_anew(admin_client, returns) -> None:
    page = admin_client.get(change_url(returns)).content.decode()
    assert 'value="demo"' in page
    assert "<h4>Deadline</h4><pre>30 &lt;b&gt;days&lt;/b&gt;.</pre>" in page
    answer = admin_client.post(change_url(returns), FIELDS | {"body": "Exchange a shade."})
    assert answer.status_code == 302
    assert Passage.objects.get().text == "Exchange a shade."
    assert Article.objects.get().widget_keys == []


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"body": "a\x00b"}, "Null characters are not allowed."),
        ({"url": "javascript:alert(1)"}, "A field has a wrong type or value."),
        ({"language": "english!"}, "A field has a wrong type or value."),
        ({"widget_keys": "no/slash"}, "A field has a wrong type or value."),
        ({"key": "other"}, "This language has an article with this key already."),
        ({"title": ""}, "This field is required."),
    ],
)
def test_what_cannot_be_stored_is_told_beside_its_field(
    admin_client, returns, values, told
) -> None:
    save_article(**{**FIELDS, "key": "other", "published": True, "widget_keys": []})
    answer = admin_client.post(change_url(returns), FIELDS | values)
    assert answer.status_code == 200
    assert told in answer.content.decode()
    assert Article.objects.get(pk=returns.pk).widget_keys == ["demo"]


def test_a_new_article_has_nothing_to_preview(admin_client) -> None:
    page = admin_client.get(reverse("admin:frontdesk_bots_article_add"))
    assert page.status_code == 200


def test_deleting_goes_through_the_action(admin_client, returns) -> None:
    url = reverse("admin:frontdesk_bots_article_delete", args=[returns.pk])
    assert admin_client.post(url, {"post": "yes"}).status_code == 302
    assert not Article.objects.exists()
    assert not Passage.objects.exists()


@pytest.mark.parametrize(
    ("action", "published", "found"),
    [("unpublish", False, 0), ("publish", True, 1), ("rebuild", True, 1)],
)
def test_actions_change_the_chosen_articles(
    admin_client, returns, action, published, found
) -> None:
    if action == "publish":
        Article.objects.update(published=False)
    Passage.objects.update(heading="old") if action == "rebuild" else None
    data = {"action": action, "_selected_action": [returns.pk]}
    answer = admin_client.post(reverse(LIST), data, follow=True)
    assert "1 article changed." in answer.content.decode()
    returns.refresh_from_db()
    assert returns.published is published
    assert len(search("lamp", language="en", widget_key="demo", limit=1)) == found
    assert not Passage.objects.filter(heading="old").exists()


def test_many_are_deleted_through_the_action(admin_client, returns) -> None:
    data = {"action": "delete_selected", "_selected_action": [returns.pk], "post": "yes"}
    assert admin_client.post(reverse(LIST), data).status_code == 302
    assert not Article.objects.exists()
    assert not Term.objects.exists()


def test_the_list_is_searched_and_counts_passages_in_few_queries(
    admin_client, returns, django_assert_max_num_queries
) -> None:
    for number in range(5):
        save_article(
            **{**FIELDS, "key": f"k{number}", "title": f"Topic T{number}", "widget_keys": []}
            | {"published": True}
        )
    with django_assert_max_num_queries(8):
        page = admin_client.get(reverse(LIST), {"q": "T3"}).content.decode()
    assert 'class="field-passage_count">2<' in page
    assert "Topic T3" in page
    assert "Topic T4" not in page


def test_the_admin_needs_its_permission(client, django_user_model) -> None:
    user = django_user_model.objects.create_user("oscar", password="x", is_staff=True)
    client.force_login(user)
    assert client.get(reverse(LIST)).status_code == 403
