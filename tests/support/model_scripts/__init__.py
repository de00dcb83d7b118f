"""Named behaviours of the model server: the good ones and every fault we know of.

A script's name says what the server does; what must come of it stands in the tests.
"""

from __future__ import annotations

from tests.support.model_scripts import broken, empty, good, refused, tools

__all__ = ["broken", "empty", "good", "refused", "tools"]
