"""Where replays run: the replay of one policy over history, cut into blocks, on an engine that runs the blocks.

Data needs the champion's replay to say what the history can show, and Research needs both; so the replay lives
below both of them.
"""

from shipworthy.engine.block import TELEMETRY, Block, code_digest, fit_decider, run_block
from shipworthy.engine.choice import engine_of
from shipworthy.engine.engine import Done, Engine, Keep
from shipworthy.engine.processes import ProcessEngine
from shipworthy.engine.replay import Replay, Track, first_replayed, replay

__all__ = [
    "TELEMETRY",
    "Block",
    "Done",
    "Engine",
    "Keep",
    "ProcessEngine",
    "Replay",
    "Track",
    "code_digest",
    "engine_of",
    "first_replayed",
    "fit_decider",
    "replay",
    "run_block",
]
