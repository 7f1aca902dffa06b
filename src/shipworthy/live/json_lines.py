"""What the service says of itself on stderr: one JSON document a line, for whoever collects logs."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import msgspec

_STANDARD = frozenset(vars(logging.makeLogRecord({})))


class JsonLines(logging.Formatter):
    """Writes a record as one line: when, how grave, what, and whatever else it carries.

    >>> record = logging.makeLogRecord({"msg": "refused", "levelname": "WARNING", "created": 0.0, "status": 503})
    >>> JsonLines().format(record)
    '{"at":"1970-01-01T00:00:00+00:00","level":"warning","message":"refused","status":503}'
    """

    def format(self, record: logging.LogRecord) -> str:
        """One line, also where an exception came with it."""
        document = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **{name: value for name, value in vars(record).items() if name not in _STANDARD},
        }
        if record.exc_info:
            document["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(document, enc_hook=str).decode()


def write_json_lines() -> None:
    """Lets everything of this package that is worth a line go to stderr that way, in this process."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("shipworthy")
    logger.handlers = [handler]
    logger.propagate = False
