"""The policy under which a browser reads a page that was stored: a report, or the page of a ledger."""

from __future__ import annotations

SANDBOX = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
)
"""It is read as if it came from elsewhere, and can reach nothing of the board. Its own policy allows less still."""
