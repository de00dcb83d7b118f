"""Contrast of colours by WCAG's formula; pure functions over ``#rrggbb``."""

from __future__ import annotations

import re

MINIMUM_CONTRAST = 4.5
"""WCAG 2 AA for text; the launcher and own bubbles carry white text on the accent."""
_HEX = re.compile(r"#[0-9a-fA-F]{6}")


def is_hex(colour: str) -> bool:
    """Whether this is a colour such as ``#3f4fdb``."""
    return _HEX.fullmatch(colour) is not None


def luminance(colour: str) -> float:
    """Relative luminance of ``#rrggbb``, 0 (black) to 1 (white)."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two colours, 1 to 21."""
    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)
