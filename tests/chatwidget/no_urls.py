"""A URL configuration of a site that forgot the widget."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
