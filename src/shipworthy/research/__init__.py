"""Stage 3, Research: what would the challenger have decided, and what would that have earned?"""

from shipworthy.research.evidence import evidence_digest, open_evidence, pair
from shipworthy.research.gate import missing
from shipworthy.research.research import Research, read_research, research_idea

__all__ = ["Research", "evidence_digest", "missing", "open_evidence", "pair", "read_research", "research_idea"]
