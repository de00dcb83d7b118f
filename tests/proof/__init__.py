"""Long proofs of the promises, one module each; `./dev proof` runs them."""

from __future__ import annotations
