"""The shop's pages; they know the widget only through its template tag."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.views.decorators.http import require_GET, require_POST

from bots.models import Article
from config.demo.basket import Basket
from config.demo.catalogue import BY_SLUG, LAMPS, Lamp
from inbox.richtext import markdown

YEAR = 365 * 24 * 60 * 60


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "shop/home.html", {"lamps": LAMPS})


@require_GET
def product(request: HttpRequest, slug: str) -> HttpResponse:
    lamp = find_lamp(slug)
    others = [other for other in LAMPS if other is not lamp][:3]
    return render(request, "shop/product.html", {"lamp": lamp, "others": others})


@require_GET
def basket(request: HttpRequest) -> HttpResponse:
    return render(request, "shop/basket.html")


@require_POST
def basket_add(request: HttpRequest, slug: str) -> HttpResponseRedirect:
    Basket(request.session).add(find_lamp(slug))
    return redirect("basket")


@require_POST
def basket_remove(request: HttpRequest, slug: str) -> HttpResponseRedirect:
    Basket(request.session).remove(find_lamp(slug))
    return redirect("basket")


@require_GET
def help_page(request: HttpRequest) -> HttpResponse:
    language = (get_language() or "en").split("-")[0]
    articles = Article.objects.published().in_language(language).order_by("title")
    return render(request, "shop/help.html", {"articles": articles})


@require_GET
def help_article(request: HttpRequest, language: str, key: str) -> HttpResponse:
    article = get_object_or_404(Article.objects.published(), language=language, key=key)
    return render(
        request, "shop/article.html", {"article": article, "body": markdown(article.body)}
    )


@require_GET
def privacy(request: HttpRequest) -> HttpResponse:
    return render(request, "shop/privacy.html")


@require_GET
def language(request: HttpRequest, code: str) -> HttpResponseRedirect:
    """Remember a language that the visitor chose by a link, and go back where they were."""
    if code not in dict(settings.LANGUAGES):
        raise Http404(code)
    back = request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        back = reverse("home")
    response = redirect(back)
    response.set_cookie(settings.LANGUAGE_COOKIE_NAME, code, max_age=YEAR, samesite="Lax")
    return response


def find_lamp(slug: str) -> Lamp:
    if slug not in BY_SLUG:
        raise Http404(slug)
    return BY_SLUG[slug]
