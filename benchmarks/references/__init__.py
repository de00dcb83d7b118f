"""Servers as tutorials write them, to be compared with."""

from __future__ import annotations
