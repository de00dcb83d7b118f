"""Fills the demo: accounts, teams, the widget, prepared texts. Run again, it changes nothing.

What comes from the environment (origins, identity secret) is written each time; everything else
only once, so that what a reviewer changes in the admin stays changed.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import transaction

from chatwidget.models import Widget, WidgetText
from inbox.models import CannedReply, Operator, Tag, Team

TEAMS = {
    "support": ("Support", "return, refund, broken, parcel, Retoure, kaputt, Paket"),
    "sales": ("Sales", "offer, quantity, discount, invoice, Angebot, Rabatt, Rechnung"),
}
OPERATORS = {
    "operator": ("Olga", ["support"]),
    "operator2": ("Tariq", ["support", "sales"]),
}
CANNED_REPLIES = {
    "hello": ("Greeting", "Hello {visitor}, this is {operator}. How can I help?"),
    "order": ("Ask for the order number", "Could you give me your order number, please?"),
    "returns": (
        "Return label",
        "I have just sent you a return label by e-mail. The parcel shop takes it from there.",
    ),
    "thanks": ("Goodbye", "Thank you for writing, {visitor}. Have a bright day!"),
}
TAGS = ("return", "delivery", "warranty", "order", "feedback")
STARTERS = ["Where is my parcel?", "Can I return a lamp?", "How can I pay?"]
GERMAN = {
    "name": "Lumen",
    "greeting": "Hallo! Fragen Sie nach Lampen, Lieferung oder Rückgabe.",
    "starters": ["Wo ist mein Paket?", "Kann ich eine Lampe zurückgeben?", "Wie kann ich zahlen?"],
    "reply_time": "Antwortet meist in wenigen Minuten",
}


@transaction.atomic
def seed() -> None:
    """Everything, in the order in which it depends on itself."""
    teams = seed_teams()
    seed_reviewer()
    seed_operators(teams)
    seed_texts()
    seed_widget()


def seed_teams() -> dict[str, Team]:
    return {
        slug: Team.objects.get_or_create(slug=slug, defaults={"name": name, "keywords": words})[0]
        for slug, (name, words) in TEAMS.items()
    }


def seed_reviewer() -> None:
    users = get_user_model()._default_manager
    if not users.filter(username="admin").exists():
        users.create_superuser("admin", email="admin@lumen.example", password="admin")  # noqa: S106


def seed_operators(teams: dict[str, Team]) -> None:
    users = get_user_model()._default_manager
    access = Permission.objects.filter(
        content_type__app_label="frontdesk_inbox", codename="view_inbox"
    )
    for username, (name, team_slugs) in OPERATORS.items():
        user = users.filter(username=username).first()
        if user is None:
            # The demo listens on loopback only, so a password may be as simple as the name.
            user = users.create_user(username, password=username, first_name=name)
            user.user_permissions.add(*access)
        operator, created = Operator.objects.get_or_create(
            user=user, defaults={"display_name": name}
        )
        if created:
            operator.teams.set([teams[slug] for slug in team_slugs])


def seed_texts() -> None:
    for shortcut, (title, content) in CANNED_REPLIES.items():
        CannedReply.objects.get_or_create(
            shortcut=shortcut, team=None, defaults={"title": title, "content": content}
        )
    for name in TAGS:
        Tag.objects.get_or_create(name=name)


def seed_widget() -> None:
    widget, created = Widget.objects.get_or_create(
        key="demo",
        defaults={
            "name": "Lumen",
            "greeting": "Hello! Ask about lamps, delivery or returns.",
            "starters": STARTERS,
            "reply_time": "Usually replies in a few minutes",
            "privacy_url": "/privacy/",
            "accent": "#8f4a0b",
        },
    )
    widget.allowed_origins = "\n".join(settings.DEMO_WIDGET_ORIGINS)
    widget.identity_secret = settings.DEMO_IDENTITY_SECRET
    widget.full_clean()
    widget.save(update_fields=["allowed_origins", "identity_secret"])
    if created:
        WidgetText.objects.create(widget=widget, language="de", **GERMAN)
