"""Programs that read a model's stream and do nothing else."""

from __future__ import annotations
