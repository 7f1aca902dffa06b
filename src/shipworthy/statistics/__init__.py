"""The arithmetic of proof: arrays in, intervals out.

Pure functions over numpy arrays, which know nothing of ideas, frames or stores:

    series       period sums and counts become one influence series
    spectrum     the long-run variance of that series, and how many cosines may estimate it
    entities     the variance from having sampled the units as well
    interval     the mean with its interval
    components   how much of what varies is the solver's luck
    power        the smallest gain that a history can show
    sequential   an interval that may be looked at every day
    harm         three triggers that take a challenger back
    rotation     the joint chance of many ideas, or many segments, on one history
    budget       what each of the ideas on one history may spend of its budget of errors
    assignment   who is tried, by a hash
    sample_ratio whether the arms got their shares
    canary       the challenger decides for a random part of the units
    switchback   champion and challenger take turns
    moderation   standard errors of many ideas steady one another
    shrinkage    what a gain will be worth once it is live
    calibration  whether forecasts come true
    offpolicy    what logged decisions say of decisions that were not made
    proportion   how often something happens, from how often it did
"""

from shipworthy.statistics.assignment import Arm, arm_of
from shipworthy.statistics.budget import Grant, Spent, grant, spent_share
from shipworthy.statistics.calibration import Calibration, Ratio, realised_ratio
from shipworthy.statistics.canary import means_before, period_effects, randomised_path, sticky_path
from shipworthy.statistics.components import Components, variance_components
from shipworthy.statistics.entities import entity_variance
from shipworthy.statistics.harm import Alarm, Trigger, breaker_threshold, cusum_alarm, first_alarm
from shipworthy.statistics.interval import Estimate, estimate, probability_below, widened
from shipworthy.statistics.moderation import moderated
from shipworthy.statistics.offpolicy import Support, doubly_robust, inverse_propensity, support
from shipworthy.statistics.power import Pilot, Power, periods_for, power, smallest_detectable_gain
from shipworthy.statistics.proportion import Proportion
from shipworthy.statistics.rotation import (
    at_own_cosines,
    fingerprint,
    null_draws,
    simultaneous_critical,
    step_down_p_values,
    t_statistics,
)
from shipworthy.statistics.sample_ratio import SampleRatio
from shipworthy.statistics.sequential import (
    Backtest,
    LiveDecision,
    Monitor,
    anytime_t_half_width,
    mixture_radius,
    monitor,
    periods_to_ship,
    read_path,
)
from shipworthy.statistics.series import autocorrelation, halves, influence_series, skew_shift
from shipworthy.statistics.shrinkage import Forecast, forecast
from shipworthy.statistics.spectrum import LongRun, cosine_weights, flat_count, long_run_variance
from shipworthy.statistics.switchback import draws_for, pairs_interval, pairs_path, sign_flip_p

__all__ = [
    "Alarm",
    "Arm",
    "Backtest",
    "Calibration",
    "Components",
    "Estimate",
    "Forecast",
    "Grant",
    "LiveDecision",
    "LongRun",
    "Monitor",
    "Pilot",
    "Power",
    "Proportion",
    "Ratio",
    "SampleRatio",
    "Spent",
    "Support",
    "Trigger",
    "anytime_t_half_width",
    "arm_of",
    "at_own_cosines",
    "autocorrelation",
    "breaker_threshold",
    "cosine_weights",
    "cusum_alarm",
    "doubly_robust",
    "draws_for",
    "entity_variance",
    "estimate",
    "fingerprint",
    "first_alarm",
    "flat_count",
    "forecast",
    "grant",
    "halves",
    "influence_series",
    "inverse_propensity",
    "long_run_variance",
    "means_before",
    "mixture_radius",
    "moderated",
    "monitor",
    "null_draws",
    "pairs_interval",
    "pairs_path",
    "period_effects",
    "periods_for",
    "periods_to_ship",
    "power",
    "probability_below",
    "randomised_path",
    "read_path",
    "realised_ratio",
    "sign_flip_p",
    "simultaneous_critical",
    "skew_shift",
    "smallest_detectable_gain",
    "spent_share",
    "step_down_p_values",
    "sticky_path",
    "support",
    "t_statistics",
    "variance_components",
    "widened",
]
