"""What a job runs in: one verb of the command line, in a process that ends with whoever started it.

Its standard input is a pipe that the starter holds open and never writes to. Where the starter is gone, however it went, the
pipe closes, and the whole group of processes is ended: this one, and the workers of a replay.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
from contextlib import suppress
from threading import Thread


def main() -> None:
    """Runs the verb that the arguments name."""
    Thread(target=_end_with_the_starter, name="starter", daemon=True).start()
    sys.argv[0] = "shipworthy"
    runpy.run_module("shipworthy", run_name="__main__", alter_sys=True)


def _end_with_the_starter() -> None:
    with suppress(OSError):
        os.read(0, 1)
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    main()
