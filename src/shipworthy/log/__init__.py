"""The logs of what runs live: decisions, outcomes, overrides and shadow answers, wherever they stand by now.

Lines are written to segments beside the service, and compacted into Parquet in the object store once a segment's writer is gone.

- `log.reading` gives the entries of both, each once, with the shadow's answers put to the decisions they are about
- `log.compaction` turns segments into Parquet, and `log.retention` says what may go after how long
"""

from shipworthy.log.reading import read_decisions, read_outcomes, read_overrides

__all__ = ["read_decisions", "read_outcomes", "read_overrides"]
