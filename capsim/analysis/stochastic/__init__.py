"""Plans under uncertainty: decisions that must stand in every realisation, and what answers each.

:func:`optimize_two_stage` minimises the mean cost over realisations, with or without its tail
(:class:`CVaR`); :func:`optimize_regret` the greatest regret; :func:`value_of_information` says what
it is worth. Two methods find the same: the extensive form, which writes every realisation out in
one program, and the L-shaped method, which keeps them apart (:mod:`.benders`).
"""

from capsim.analysis.stochastic.risk import CVaR, Mean, Regret
from capsim.analysis.stochastic.two_stage import (
    TwoStagePlan,
    ValueOfInformation,
    optimize_regret,
    optimize_two_stage,
    value_of_information,
)

__all__ = [
    "CVaR",
    "Mean",
    "Regret",
    "TwoStagePlan",
    "ValueOfInformation",
    "optimize_regret",
    "optimize_two_stage",
    "value_of_information",
]
