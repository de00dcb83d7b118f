"""Everything the core serves; a host project includes it at its root."""

from __future__ import annotations

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from inbox import views

_pages = [
    path("", views.index, name="index"),
    path("presence/", views.set_presence, name="presence"),
    path("<slug:view>/", views.view_page, name="view"),
    path("<slug:view>/<uuid:conversation_id>/", views.conversation_page, name="conversation"),
]
_api = [path("api/v1/", include("inbox.api.urls"))]

_schema = SpectacularAPIView.as_view(
    patterns=_api,
    authentication_classes=[],
    permission_classes=[],
    custom_settings={
        "TITLE": "Frontdesk operators' API",
        "VERSION": "1",
        "ENUM_NAME_OVERRIDES": {
            "StatusEnum": "inbox.models.Status",
            "HandledByEnum": "inbox.models.HandledBy",
            "KindEnum": "inbox.models.MessageKind",
        },
    },
)

urlpatterns = [
    path("inbox/", include((_pages, "inbox"))),
    *_api,
    path("api/schema/", _schema, name="frontdesk-schema"),
    path("healthz", views.healthz, name="frontdesk-healthz"),
    path("readyz", views.readyz, name="frontdesk-readyz"),
    path("metrics", views.metrics, name="frontdesk-metrics"),
]
