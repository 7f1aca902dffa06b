"""Where replays run: the replay of one policy over history, cut into blocks, on an engine that runs the blocks.

Data needs the champion's replay to say what the history can show, and Research needs both; so the replay lives
below both of them.
"""

from shipworthy.engine.block import (
    TELEMETRY,
    WALL_CLOCK,
    Block,
    code_digest,
    fit_decider,
    learns,
    open_block,
    play,
    run_block,
)
from shipworthy.engine.choice import engine_here, engine_of
from shipworthy.engine.engine import Done, Engine, Keep
from shipworthy.engine.foresight import foresee, period_sums
from shipworthy.engine.processes import ProcessEngine
from shipworthy.engine.replay import Replay, Track, decide_again, first_replayed, replay
from shipworthy.engine.window import Window, Windows, judged_periods, windows

__all__ = [
    "TELEMETRY",
    "WALL_CLOCK",
    "Block",
    "Done",
    "Engine",
    "Keep",
    "ProcessEngine",
    "Replay",
    "Track",
    "Window",
    "Windows",
    "code_digest",
    "decide_again",
    "engine_here",
    "engine_of",
    "first_replayed",
    "fit_decider",
    "foresee",
    "judged_periods",
    "learns",
    "open_block",
    "period_sums",
    "play",
    "replay",
    "run_block",
    "windows",
]
