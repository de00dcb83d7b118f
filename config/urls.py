"""Where everything lives in the reference project: two includes for us, the rest is a shop."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from config.demo import views

urlpatterns = [
    path("", views.home, name="home"),
    path("lamps/<slug:slug>/", views.product, name="product"),
    path("help/", views.help_page, name="help"),
    path("help/<str:language>/<slug:key>/", views.help_article, name="help-article"),
    path("basket/", views.basket, name="basket"),
    path("basket/<slug:slug>/add/", views.basket_add, name="basket-add"),
    path("basket/<slug:slug>/remove/", views.basket_remove, name="basket-remove"),
    path("privacy/", views.privacy, name="privacy"),
    path("language/<slug:code>/", views.language, name="language"),
    path("login/", LoginView.as_view(template_name="shop/login.html"), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
    path("", include("inbox.urls")),
    path("", include("chatwidget.urls")),
]
