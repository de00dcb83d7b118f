"""Visitors with a past, written straight into the product's database: `python -m
benchmarks.history VISITORS MESSAGES` prints their tokens as JSON."""

from __future__ import annotations
