"""What the interval rests on, by name: the same facts in every face."""

from __future__ import annotations

from shipworthy.analysis.money import NO_BREAK, precise, share
from shipworthy.analysis.report.findings import Findings


def rests_on(findings: Findings) -> list[tuple[str, str]]:
    """How much history there is, how independent it is, and how few of it carry the gain; none where that is not told."""
    verdict, exposure = findings.verdict, findings.verdict.exposure
    if exposure is None:
        return []
    harm = verdict.probability_of_harm
    return [
        ("Confidence", f"{100.0 * (1.0 - verdict.criteria.alpha):.4g}{NO_BREAK}%"),
        ("Probability of harm", "unknown" if harm is None else share(harm)),
        ("Standard error, per unit and period", precise(verdict.se)),
        ("Independent looks at slow movements", f"{verdict.nu}"),
        ("Periods; as many independent ones", f"{exposure.periods}; {precise(exposure.effective_periods)}"),
        ("Usable pairs", f"{exposure.pairs:,} ({exposure.usable_share:.1%})"),
        (
            "Pairs per period; per year",
            f"{precise(exposure.pairs_per_period)}; {precise(verdict.criteria.units_per_year or 0.0)}",
        ),
        ("Correlation of neighbouring periods", precise(exposure.phi)),
        (f"Share of the gain from the best 1{NO_BREAK}% of pairs", _part(exposure.best_rows_share)),
        ("Share of the gain from the best period", _part(exposure.best_period_share)),
    ]


def _part(of_gain: float | None) -> str:
    return "no gain" if of_gain is None else share(of_gain)
