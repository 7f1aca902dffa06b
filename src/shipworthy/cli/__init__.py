"""The command line: one file per verb, no logic in any of them."""

from shipworthy.cli.app import main

__all__ = ["main"]
