"""What a worker must know, handed over in one environment variable: it reaches spawned and forked workers alike."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from shipworthy.errors import InvalidInputError

VARIABLE = "SHIPWORTHY_LIVE"

COUNTS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Where several workers count together; the Prometheus client reads it when it is imported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one service serves.

    Attributes:
        root: The project's folder.
        problem: The problem's name.
        log_folder: Where the logs of all problems are.
        release: The one release to serve, without any rollout; None where the rollout says.
        traces: Whether requests are traced.

    >>> settings = Settings(root="/shop", problem="stock", log_folder="/shop/log", release=None)
    >>> Settings.from_text(settings.to_text()) == settings, settings.folder.as_posix()
    (True, '/shop/log/stock')
    """

    root: str
    problem: str
    log_folder: str
    release: str | None
    traces: bool = False

    @property
    def folder(self) -> Path:
        """Where this problem's logs are."""
        return Path(self.log_folder) / self.problem

    def to_text(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Reads what `to_text` wrote."""
        return cls(**json.loads(text))

    @classmethod
    def from_environment(cls) -> Self:
        """Reads what `serve` left for its workers.

        Raises:
            InvalidInputError: this process was not started by `serve`.
        """
        text = os.environ.get(VARIABLE)
        if text is None:
            raise InvalidInputError(
                f"{VARIABLE} is not set: this is what `shipworthy serve` tells its workers. Start the service with that, or "
                "hand settings to make_app."
            )
        return cls.from_text(text)
