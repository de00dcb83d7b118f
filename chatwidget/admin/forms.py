"""The widget's form: lists are written one per line, the secret is written and never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from chatwidget.models import Widget, WidgetText

if TYPE_CHECKING:
    WidgetModelForm = forms.ModelForm[Widget]
    TextModelForm = forms.ModelForm[WidgetText]
else:
    WidgetModelForm = TextModelForm = forms.ModelForm


class LinesField(forms.CharField):
    """A list of texts as lines; blank lines are dropped."""

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": 4}), **options)

    def prepare_value(self, value: Any) -> Any:
        """Lines for the text area."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """The list."""
        return [line.strip() for line in (value or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare as lists."""
        return bool((initial or []) != self.to_python(data))


class StartersMixin(forms.Form):
    """The one field that both forms write in lines."""

    starters = LinesField(
        label=_("starters"),
        required=False,
        help_text=_("Up to four first questions, one per line."),
    )


class WidgetForm(StartersMixin, WidgetModelForm):
    """A widget; an empty secret leaves the present one as it is."""

    identity_secret = forms.CharField(
        label=_("identity secret"),
        required=False,
        strip=False,
        max_length=255,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_(
            "The host signs identities (JWT, HS256) with it; at least 32 bytes. It is never shown; "
            "leave this empty to keep the present one."
        ),
    )
    forget_secret = forms.BooleanField(
        label=_("forget the identity secret"),
        required=False,
        help_text=_("From then on no signed identity counts."),
    )

    class Meta:
        model = Widget
        fields = "__all__"

    def clean_identity_secret(self) -> str:
        """Keep what is not written anew."""
        return str(self.cleaned_data["identity_secret"] or self.instance.identity_secret)

    def clean(self) -> dict[str, Any] | None:
        """Forget wins over keep."""
        found = super().clean()
        if found and found.get("forget_secret"):
            found["identity_secret"] = ""
        return found


class WidgetTextForm(StartersMixin, TextModelForm):
    """The texts of one more language."""

    class Meta:
        model = WidgetText
        fields = ["language", "name", "greeting", "starters", "reply_time"]
