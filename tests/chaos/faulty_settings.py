"""The reference project with faults planted in it; `DJANGO_SETTINGS_MODULE` of chaos sites.

Nothing of this is in the product: `tests.chaos.planted` wraps its functions when the apps are
ready, and a fault happens only where a visitor's own words or a file in `FAULTS_DIR` ask for it.
"""

from __future__ import annotations

import os

import inbox.database
from config.settings import *  # noqa: F403
from config.settings import DATABASES, INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.chaos.planted.PlantedFaults"]
BOTS_TOOLS = ["tests.chaos.tools.charge"]
# Failure upon failure is what is wanted here.
BOTS_CIRCUIT_FAILURES = 0
INBOX_WEBHOOK_PRIVATE_NETWORKS = ["127.0.0.0/8"]
INBOX_RUNNER = not os.environ.get("SERVERS_RUN_NOTHING")
INBOX_WEBHOOK_TIMEOUT_SECONDS = float(os.environ.get("WEBHOOK_TIMEOUT", "15"))

if patience := os.environ.get("DATABASE_PATIENCE"):
    # The product waits 10 s for a database, 5 s for a row and 20 s for SQLite's one writer.
    inbox.database.retrying.__kwdefaults__["budget_seconds"] = float(patience)
    _options = DATABASES["default"]["OPTIONS"]
    if "timeout" in _options:
        _options["timeout"] = float(patience) / 2
    else:
        _options["options"] = f"-c statement_timeout=15s -c lock_timeout={patience}s"

if model := os.environ.get("MODEL_PATIENCE"):
    BOTS_FIRST_TOKEN_SECONDS = BOTS_IDLE_SECONDS = float(model)
    BOTS_TOTAL_SECONDS = 2 * float(model)
