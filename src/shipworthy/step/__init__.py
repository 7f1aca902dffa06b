"""The one step from rows to decisions: decide, check, fall back, record.

The replay takes it on history, the shadow and the service take it today, and the parity gate compares the two. There is
no second implementation of deciding.
"""

from shipworthy.step.decided import Decided, Rung
from shipworthy.step.history import History
from shipworthy.step.moment import Moment, seed_of
from shipworthy.step.step import Decider, MakeDecider, take_step, take_steps
from shipworthy.step.worth import happened, worth

__all__ = [
    "Decided",
    "Decider",
    "History",
    "MakeDecider",
    "Moment",
    "Rung",
    "happened",
    "seed_of",
    "take_step",
    "take_steps",
    "worth",
]
