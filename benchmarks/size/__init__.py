"""A database of the size that the product promises to stay quick at, filled with bulk inserts."""

from __future__ import annotations
