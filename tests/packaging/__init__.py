"""Tests of what other people install."""

from __future__ import annotations
