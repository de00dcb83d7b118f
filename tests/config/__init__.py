"""Tests of the reference project."""

from __future__ import annotations
