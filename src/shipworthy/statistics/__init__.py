"""The arithmetic of proof: arrays in, intervals out.

Pure functions over numpy arrays, which know nothing of ideas, frames or stores:

    series      period sums and counts become one influence series
    spectrum    the long-run variance of that series, and how many cosines may estimate it
    entities    the variance from having sampled the units as well
    interval    the mean with its interval
    components  how much of what varies is the solver's luck
    power       the smallest gain that a history can show
    sequential  an interval that may be looked at every day
    harm        three triggers that take a challenger back
    rotation    the joint chance of many ideas, or many segments, on one history
    shrinkage   what a gain will be worth once it is live
    offpolicy   what logged decisions say of decisions that were not made
    proportion  how often something happens, from how often it did
"""

from shipworthy.statistics.components import Components, variance_components
from shipworthy.statistics.entities import entity_variance
from shipworthy.statistics.harm import Alarm, Trigger, breaker_threshold, cusum_alarm, first_alarm
from shipworthy.statistics.interval import Estimate, estimate, probability_below, widened
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
from shipworthy.statistics.sequential import (
    Backtest,
    LiveDecision,
    Monitor,
    anytime_t_half_width,
    mixture_radius,
    monitor,
)
from shipworthy.statistics.series import autocorrelation, halves, influence_series, skew_shift
from shipworthy.statistics.shrinkage import Forecast, forecast
from shipworthy.statistics.spectrum import LongRun, cosine_weights, flat_count, long_run_variance

__all__ = [
    "Alarm",
    "Backtest",
    "Components",
    "Estimate",
    "Forecast",
    "LiveDecision",
    "LongRun",
    "Monitor",
    "Pilot",
    "Power",
    "Proportion",
    "Support",
    "Trigger",
    "anytime_t_half_width",
    "at_own_cosines",
    "autocorrelation",
    "breaker_threshold",
    "cosine_weights",
    "cusum_alarm",
    "doubly_robust",
    "entity_variance",
    "estimate",
    "fingerprint",
    "first_alarm",
    "flat_count",
    "forecast",
    "halves",
    "influence_series",
    "inverse_propensity",
    "long_run_variance",
    "mixture_radius",
    "monitor",
    "null_draws",
    "periods_for",
    "power",
    "probability_below",
    "simultaneous_critical",
    "skew_shift",
    "smallest_detectable_gain",
    "step_down_p_values",
    "support",
    "t_statistics",
    "variance_components",
    "widened",
]
