"""Stage 1, Idea: what do we believe, why, and what would it be worth?"""

from shipworthy.ideas.gate import missing
from shipworthy.ideas.idea import Idea, read_idea
from shipworthy.ideas.lock import deviations, lock_criteria, locked_criteria
from shipworthy.ideas.register import IDEAS_FOLDER, alike, find_idea, list_ideas, new_idea

__all__ = [
    "IDEAS_FOLDER",
    "Idea",
    "alike",
    "deviations",
    "find_idea",
    "list_ideas",
    "lock_criteria",
    "locked_criteria",
    "missing",
    "new_idea",
    "read_idea",
]
