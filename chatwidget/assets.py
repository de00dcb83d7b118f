"""The built files of the widget, read once, with their hash and a compressed copy."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).parent / "static" / "chatwidget"
LAUNCHER = "widget.js"
PANEL = "panel.js"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file's bytes; ``digest`` names this very content."""

    content: bytes
    compressed: bytes
    digest: str


def load_asset(name: str) -> Asset:
    """A built file; read again only when it was built anew."""
    path = FOLDER / name
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _read(path: Path, changed: int) -> Asset:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:16]
    return Asset(content, gzip.compress(content, 9, mtime=0), digest)
