"""What somebody would type: the command line, run in this process through its real door."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from shipworthy.cli import main


@dataclass(frozen=True)
class Said:
    """How a command ended: its exit code, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The output as the strictest program would read it."""

        def refuse(constant: str) -> None:
            raise ValueError(f"{constant} is no JSON")

        return json.loads(self.out, parse_constant=refuse)


def typed(folder: Path, *words: object) -> Said:
    """Runs `shipworthy WORDS` in a folder, as the console script does."""
    out, err = io.StringIO(), io.StringIO()
    argv = ["shipworthy", *map(str, words)]
    with (
        contextlib.chdir(folder),
        mock.patch.object(sys, "argv", argv),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            return Said(int(end.code or 0), out.getvalue(), err.getvalue())
    raise AssertionError("the command line always ends with an exit code")
