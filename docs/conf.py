"""Builds the documentation; the reference pages read the code itself."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import django

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS.parent), str(DOCS / "_ext")]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

project = "Frontdesk"
author = "The Frontdesk contributors"
extensions = ["myst_parser", "sphinx.ext.autodoc", "frontdesk_reference"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "Frontdesk"
autodoc_typehints = "description"
smartquotes = False
