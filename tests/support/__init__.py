"""What the tests run against: real servers, real sockets, a real browser."""

from __future__ import annotations
