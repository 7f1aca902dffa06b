"""Arms: the same everywhere, in the promised shares, and none of them knows another trial's."""

import subprocess
import sys

import numpy as np
import pytest

from shipworthy.statistics.assignment import arm_of, draw


def test_another_process_draws_the_same_arms():
    """The hash has no seed of its process: what served yesterday serves after a restart."""
    code = "from shipworthy.statistics.assignment import arm_of; print([arm_of('s', i, share=0.3) for i in range(20)])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == str([arm_of("s", i, share=0.3) for i in range(20)])


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_the_challenger_gets_its_share(share):
    """Of 20,000 units the share is the promised one, within four standard errors; nobody at 0, everybody at 1."""
    tried = np.mean([arm_of("trial", unit, share=share) == "challenger" for unit in range(20_000)])

    assert abs(tried - share) <= 4 * np.sqrt(share * (1 - share) / 20_000)


def test_trials_do_not_share_their_arms():
    """Draws of two salts are uncorrelated, and so are those of neighbouring periods."""
    draws = np.array([[draw(salt, unit) for unit in range(5000)] for salt in ("one", "other")])

    assert abs(np.corrcoef(draws)[0, 1]) < 0.05
    assert abs(np.corrcoef(draws[0][1:], draws[0][:-1])[0, 1]) < 0.05
