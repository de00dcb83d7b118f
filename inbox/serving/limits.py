"""Room for many sockets in one process."""

from __future__ import annotations

import contextlib

try:
    import resource
except ModuleNotFoundError:  # Windows has no such limit to raise
    HAS_LIMITS = False
else:
    HAS_LIMITS = True

WANTED = 65_536


def raise_file_limit() -> None:
    """Raise the soft limit of open files as far as the system lets us; shells often say 1,024."""
    if not HAS_LIMITS:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    ceiling = WANTED if hard == resource.RLIM_INFINITY else min(hard, WANTED)
    if soft != resource.RLIM_INFINITY and soft < ceiling:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (ceiling, hard))
