"""Log lines for machines: one JSON object each, without anything that somebody wrote."""

from __future__ import annotations

import datetime as dt
import json
import logging
import traceback
from typing import Any


class JsonFormatter(logging.Formatter):
    """Formats a record as ``{time, level, logger, message, process, thread, error?, trace?}``.

    ``time`` is UTC with milliseconds. Of an exception it keeps the type and the places it came
    through, never its own words: a database quotes in them the very row that it refused.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        moment = dt.datetime.fromtimestamp(record.created, dt.UTC)
        line: dict[str, Any] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
            "thread": record.threadName,
        }
        if record.exc_info and record.exc_info[0] is not None:
            kind, _, trace = record.exc_info
            line["error"] = f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
            line["trace"] = [
                f"{place.filename}:{place.lineno} {place.name}"
                for place in traceback.extract_tb(trace)
            ]
        return json.dumps(line, ensure_ascii=False)
