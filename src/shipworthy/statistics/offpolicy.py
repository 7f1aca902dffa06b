"""What logged decisions say of decisions that were not made, where outcomes depend on what is decided.

Each function gives one score per row. Its mean is an unbiased estimate of a policy's value per row where the logged
decisions were drawn with known probabilities, and where what happens to one row does not depend on the decision about another.
Scores of two policies about the same rows are paired like values, and are judged like them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shipworthy.errors import InvalidInputError
from shipworthy.statistics.series import FloatArray

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """How much logged decisions can say of a policy.

    Attributes:
        rows: Logged rows.
        agreeing: Rows for which the policy decides what was decided.
        effective: The number of rows, all of one weight, that would say as much: (sum w)^2 / sum w^2, w = 1 / probability
            where they agree (Kish, Survey Sampling, 1965, section 11.7).
        heaviest: The share of all weight that the heaviest row has.
        covered: The mean weight. It is 1 but for chance where every decision of the policy could have been drawn, with the
            probability that was logged (Swaminathan and Joachims, The self-normalized estimator, NIPS 2015, section 4); it is
            less by the share of rows for which the log can say nothing.
        covered_se: Its standard error.
    """

    rows: int
    agreeing: int
    effective: float
    heaviest: float
    covered: float
    covered_se: float


def support(agrees: BoolArray, chance: FloatArray) -> Support:
    """Measures the support of a policy.

    Args:
        agrees: Whether the policy decides what was decided, shape (rows,).
        chance: The probability with which the logged decision was drawn, shape (rows,), above 0 and at most 1.

    Raises:
        InvalidInputError: a probability is none.

    >>> support(np.array([True, True, False, False]), np.full(4, 0.5))
    Support(rows=4, agreeing=2, effective=2.0, heaviest=0.5, covered=1.0, covered_se=0.5)
    """
    weights = _weights(agrees, chance)
    total = float(weights.sum())
    return Support(
        rows=int(agrees.size),
        agreeing=int(agrees.sum()),
        effective=total**2 / float(np.square(weights).sum()) if total else 0.0,
        heaviest=float(weights.max()) / total if total else 0.0,
        covered=total / agrees.size if total else 0.0,
        covered_se=float(weights.std()) / agrees.size**0.5 if total else 0.0,
    )


def inverse_propensity(value: FloatArray, agrees: BoolArray, chance: FloatArray) -> FloatArray:
    """Scores each row with its value over its probability where the policy agrees, and with 0 elsewhere.

    Horvitz and Thompson, A generalization of sampling without replacement from a finite universe, JASA 1952.

    >>> inverse_propensity(np.array([1.0, 2.0]), np.array([True, False]), np.array([0.5, 0.5])).tolist()
    [2.0, 0.0]
    """
    return _weights(agrees, chance) * value


def doubly_robust(
    value: FloatArray, agrees: BoolArray, chance: FloatArray, *, expected: FloatArray, expected_logged: FloatArray
) -> FloatArray:
    """Scores each row with what a model expects of the policy's decision, corrected by what happened where it agrees.

    Dudik, Langford and Li, Doubly robust policy evaluation and learning, ICML 2011, section 3. Unbiased when the probabilities
    are right, whatever the model; the better the model, the less it varies.

    Args:
        value: What the logged decision earned, shape (rows,).
        agrees: Whether the policy decides what was decided, shape (rows,).
        chance: The probability with which the logged decision was drawn, shape (rows,).
        expected: What the model expects the policy's decision to earn, shape (rows,), fitted on other rows.
        expected_logged: What it expects the logged decision to earn, shape (rows,).

    >>> one = np.ones(2)
    >>> doubly_robust(3 * one, np.array([True, False]), 0.5 * one, expected=2 * one, expected_logged=2 * one).tolist()
    [4.0, 2.0]
    """
    return expected + _weights(agrees, chance) * (value - expected_logged)


def _weights(agrees: BoolArray, chance: FloatArray) -> FloatArray:
    bad = ~((chance > 0.0) & (chance <= 1.0))
    if bad.any():
        raise InvalidInputError(
            f"{int(bad.sum())} of {chance.size} logged decisions have a probability outside 0 to 1, or none, for example "
            f"{chance[bad][0]!r}. Give the probability with which each was drawn."
        )
    weights: FloatArray = np.where(agrees, 1.0 / chance, 0.0)
    return weights
