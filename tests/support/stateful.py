"""How long the state machines run: short in every test run, longer in the proof."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, Phase, settings

FACTOR = "MODEL_FACTOR"
"""Environment variable: how many times the short form's examples; unset in a test run."""


def effort(examples: int, steps: int) -> settings:
    """Settings of one machine. The short form runs the same examples every time, so that it
    fails only for who broke something, and fails at once. The long one, which any number in
    the variable asks for, looks for new examples and makes a failing one short."""
    factor = float(os.environ.get(FACTOR, "0"))
    options: dict[str, Any] = {
        "max_examples": round(examples * (factor or 1)),
        "stateful_step_count": steps,
        "derandomize": not factor,
        "deadline": None,
        "database": None,
        "suppress_health_check": list(HealthCheck),
        "phases": [Phase.generate, *([Phase.shrink] if factor else [])],
    }
    return settings(**options)
