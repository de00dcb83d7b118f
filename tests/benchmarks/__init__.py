"""Tests of the benchmark's own machinery."""

from __future__ import annotations
