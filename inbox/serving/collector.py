"""The garbage collector of a process that serves for days."""

from __future__ import annotations

import gc


def settle() -> None:
    """Call when everything is loaded: what there is now lives for ever, so it is kept out of
    every later collection, and collections come less often. Thousands of open sockets are
    many objects that never become garbage."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
