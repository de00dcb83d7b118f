"""Articles in the Django admin: written, published, tried; every write goes through the actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from bots.actions.articles import (
    cleaned,
    delete_article,
    publish_articles,
    rebuild_passages,
    save_article,
)
from bots.knowledge import index
from bots.knowledge.terms import terms
from bots.models import Article, Passage, Term
from inbox.admin.base import NewestRows
from inbox.errors import RefusedError
from inbox.lists import CountOf

if TYPE_CHECKING:
    # Django's own classes cannot be subscripted.
    ArticleModelForm = forms.ModelForm[Article]
    ArticleModelAdmin = admin.ModelAdmin[Article]
else:
    ArticleModelForm = forms.ModelForm
    ArticleModelAdmin = admin.ModelAdmin


class ArticleForm(ArticleModelForm):
    """An article as people write it; widgets are named on one line."""

    widget_keys = forms.CharField(
        label=_("widgets"),
        required=False,
        help_text=_("Keys of the widgets that may use it, separated by commas; empty for all."),
    )

    class Meta:
        model = Article
        fields = ["title", "language", "key", "body", "url", "published", "widget_keys"]
        widgets = {
            "body": forms.Textarea(attrs={"rows": 24, "cols": 100, "class": "vLargeTextField"})
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["widget_keys"] = ", ".join(self.instance.widget_keys)

    def clean_widget_keys(self) -> list[str]:
        """The names in a list."""
        return [name for name in self.cleaned_data["widget_keys"].replace(",", " ").split() if name]

    def clean(self) -> dict[str, Any]:
        """Ask the action whether it would take these values, so that a refusal has its field."""
        data = {**(super().clean() or {})}
        names = ("key", "language", "title", "body", "url", "widget_keys")
        if all(name in data for name in names):
            try:
                data |= cleaned(**{name: data[name] for name in names})
            except RefusedError as refusal:
                self.add_error(refusal.field, refusal.message)
        return data


@admin.register(Article)
class ArticleAdmin(ArticleModelAdmin):
    """List, form and preview."""

    form = ArticleForm
    list_display = ["title", "language", "key", "published", "passage_count", "updated_at"]
    list_filter = ["language", "published"]
    search_fields = ["title"]
    search_help_text = _("Words of the title or the text, or the key.")
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = NewestRows
    readonly_fields = ["source_path", "updated_at", "preview"]
    actions = ["publish", "unpublish", "rebuild"]
    fieldsets = [
        (None, {"fields": ["title", "language", "key", "published", "body"]}),
        (_("Where it is used"), {"fields": ["url", "widget_keys"]}),
        (_("What the bot sees"), {"fields": ["preview", "source_path", "updated_at"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Article]:
        """With the number of passages."""
        passages = Passage.objects.filter(article=OuterRef("pk")).order_by().values("pk")
        return super().get_queryset(request).annotate(number_of_passages=CountOf(passages))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Article], search_term: str
    ) -> tuple[QuerySet[Article], bool]:
        """By the index that the bot searches, whatever the language, and by the key."""
        if not search_term.strip():
            return queryset, False
        choices = [terms(search_term, code) for code in _languages()]
        found = Q(pk__in=index.articles_with(choices)) | Q(key=search_term.strip())
        return queryset.filter(found), False

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        """Only for a new article: a key that is in use must not change with the title."""
        return {} if obj else {"key": ["title"]}

    @admin.display(description=_("passages"))
    def passage_count(self, article: Any) -> int:
        """How many passages it was cut into."""
        return int(article.number_of_passages)

    @admin.display(description=_("passages"))
    def preview(self, article: Article) -> SafeString:
        """The passages as they were last made, one after the other."""
        if article._state.adding:
            return SafeString("–")
        rows = ((passage.heading, passage.text) for passage in article.passages.all())
        return format_html_join("", "<h4>{}</h4><pre>{}</pre>", rows) or SafeString("–")

    def save_model(
        self,
        request: HttpRequest,
        obj: Article,
        form: Any,
        change: bool,  # noqa: FBT001
    ) -> None:
        """Through the action, which makes the passages anew."""
        names = ("key", "language", "title", "body", "url", "published", "widget_keys")
        values = {name: form.cleaned_data[name] for name in names}
        row = save_article(article=obj if change else None, **values)
        obj.pk = row.pk
        obj._state.adding = False

    def delete_model(self, request: HttpRequest, obj: Article) -> None:
        """Through the action, which clears the index."""
        delete_article(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Article]) -> None:
        """One after the other through the action."""
        for article in queryset:
            delete_article(article)

    @admin.action(description=_("Publish"), permissions=["change"])
    def publish(self, request: HttpRequest, queryset: QuerySet[Article]) -> None:
        """Let the bot use the chosen articles."""
        self._tell(request, publish_articles(_plain(queryset), published=True))

    @admin.action(description=_("Take back"), permissions=["change"])
    def unpublish(self, request: HttpRequest, queryset: QuerySet[Article]) -> None:
        """Keep the bot from using the chosen articles."""
        self._tell(request, publish_articles(_plain(queryset), published=False))

    @admin.action(description=_("Rebuild passages"), permissions=["change"])
    def rebuild(self, request: HttpRequest, queryset: QuerySet[Article]) -> None:
        """Cut the chosen articles anew."""
        self._tell(request, rebuild_passages(queryset))

    def _tell(self, request: HttpRequest, number: int) -> None:
        text = ngettext("%(number)d article changed.", "%(number)d articles changed.", number)
        self.message_user(request, text % {"number": number}, messages.SUCCESS)


def _plain(queryset: QuerySet[Article]) -> QuerySet[Article]:
    """The same articles without the count, which an UPDATE cannot carry."""
    return Article.objects.filter(pk__in=list(queryset.values_list("pk", flat=True)))


def _languages() -> list[str]:
    """Languages that the index has terms of, each by one look: the first one after the last."""
    found: list[str] = []
    while following := (
        Term.objects.filter(language__gt=found[-1] if found else "")
        .order_by("language")
        .values_list("language", flat=True)
        .first()
    ):
        found.append(following)
    return found
