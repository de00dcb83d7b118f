"""Rows of the widget's edge: widgets and used tickets."""

from __future__ import annotations

from chatwidget.models.ticket import UsedTicket
from chatwidget.models.widget import DEFAULT_KEY, Position, Theme, Widget, WidgetText

__all__ = ["DEFAULT_KEY", "Position", "Theme", "UsedTicket", "Widget", "WidgetText"]
