"""Bots in the Django admin: voice, backend, knowledge and limits; keys are only in the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from bots.actions.bots import save_bot
from bots.backends import backend_entries, get_backend
from bots.conf import bots_settings
from bots.models import Bot
from bots.tools import host_tools

if TYPE_CHECKING:
    # Django's own classes cannot be subscripted.
    BotModelForm = forms.ModelForm[Bot]
    BotModelAdmin = admin.ModelAdmin[Bot]
else:
    BotModelForm = forms.ModelForm
    BotModelAdmin = admin.ModelAdmin


class BotForm(BotModelForm):
    """A bot with its backend and tools chosen from what the site has."""

    backend = forms.ChoiceField(label=_("backend"), required=False)
    tools = forms.MultipleChoiceField(
        label=_("tools"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Which tools of BOTS_TOOLS it may call; none ticked means all of them."),
    )

    class Meta:
        model = Bot
        fields = "__all__"
        widgets = {
            "instructions": forms.Textarea(
                attrs={"rows": 12, "cols": 100, "class": "vLargeTextField"}
            )
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        default = _("the site's own (%(alias)s)") % {"alias": bots_settings.BACKEND}
        backends = sorted({*backend_entries(), self.instance.backend} - {""})
        self._choose("backend", [("", default), *((name, name) for name in backends)])
        # One that was taken from the settings stays visible, so that saving does not lose it.
        tools = sorted({*_tool_names(), *self.instance.tools})
        self._choose("tools", [(name, name) for name in tools])

    def _choose(self, name: str, choices: list[tuple[str, Any]]) -> None:
        field: Any = self.fields[name]
        field.choices = choices

    def clean_backend(self) -> str:
        """A backend that can be made; the reason otherwise."""
        alias: str = self.cleaned_data["backend"]
        try:
            get_backend(alias)
        except ImproperlyConfigured as error:
            raise forms.ValidationError(str(error)) from error
        return alias


@admin.register(Bot)
class BotAdmin(BotModelAdmin):
    """List and form."""

    form = BotForm
    list_display = ["name", "key", "enabled", "backend_name", "can_answer"]
    list_filter = ["enabled"]
    search_fields = ["name", "key"]
    fieldsets = [
        (None, {"fields": ["name", "key", "enabled", "avatar_url", "instructions"]}),
        (
            _("How it answers"),
            {
                "fields": [
                    "backend",
                    "model",
                    "temperature",
                    "max_output_tokens",
                    "history_messages",
                    "use_previous_response_id",
                    "min_score",
                    "tools",
                ]
            },
        ),
        (
            _("Limits"),
            {
                "fields": [
                    "hand_off_after_failures",
                    "turns_per_visitor_day",
                    "turns_per_day",
                    "tokens_per_day",
                ]
            },
        ),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Widgets name it by its key."""
        return ["key"] if obj else []

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        """Only for a new one."""
        return {} if obj else {"key": ["name"]}

    @admin.display(description=_("backend"))
    def backend_name(self, bot: Bot) -> str:
        """The one in use, the site's own included."""
        return bot.backend_alias

    @admin.display(description=_("can answer"), boolean=True)
    def can_answer(self, bot: Bot) -> bool:
        """Whether its backend has the settings it needs."""
        try:
            return not get_backend(bot.backend_alias).check()
        except ImproperlyConfigured:
            return False

    def save_model(
        self,
        request: HttpRequest,
        obj: Bot,
        form: Any,
        change: bool,  # noqa: FBT001
    ) -> None:
        """Through the action."""
        save_bot(obj)


def _tool_names() -> list[str]:
    try:
        return list(host_tools())
    except ImproperlyConfigured:
        # The system check says what is wrong; the page must open all the same.
        return []
