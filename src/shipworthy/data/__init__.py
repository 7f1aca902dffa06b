"""Stage 2, Data: is the data there to prove or disprove the idea?"""

from shipworthy.data.contract import Violation, broken_rows
from shipworthy.data.examine import DataAnswer, examine_data, read_answer
from shipworthy.data.gate import missing
from shipworthy.data.leakage import Leak, find_leaks
from shipworthy.data.profile import Profile, profile
from shipworthy.data.snapshot import Snapshot, open_snapshot, take_snapshot

__all__ = [
    "DataAnswer",
    "Leak",
    "Profile",
    "Snapshot",
    "Violation",
    "broken_rows",
    "examine_data",
    "find_leaks",
    "missing",
    "open_snapshot",
    "profile",
    "read_answer",
    "take_snapshot",
]
