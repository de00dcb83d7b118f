"""The product beside reference servers: CPU ratios measured in one run."""

from __future__ import annotations
