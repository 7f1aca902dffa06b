"""The gate from Idea to Data: can it be tested at all?"""

from __future__ import annotations

from shipworthy.ideas.idea import Idea
from shipworthy.project import Gap


def missing(idea: Idea) -> list[Gap]:
    """What is still missing before the data can be asked; empty means open.

    >>> [gap.what for gap in missing(Idea(number=1, slug="x"))][:2]
    ['The idea has no title.', 'The idea names no problem.']
    """
    return idea.gaps()
