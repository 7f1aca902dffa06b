"""Where replays run: the replay of one policy over history, cut into blocks, on an engine that runs the blocks.

Data needs the champion's replay to say what the history can show, and Research needs both; so the replay lives
below both of them.
"""

from shipworthy.engine.block import TELEMETRY, Block, code_digest, fit_decider, open_block, run_block
from shipworthy.engine.processes import Engine, ProcessEngine
from shipworthy.engine.replay import Replay, Track, first_replayed, replay

__all__ = [
    "TELEMETRY",
    "Block",
    "Engine",
    "ProcessEngine",
    "Replay",
    "Track",
    "code_digest",
    "first_replayed",
    "fit_decider",
    "open_block",
    "replay",
    "run_block",
]
