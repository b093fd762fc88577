"""Analyses of a model or a plan: prices, trade-offs, infeasibility, uncertainty."""

__all__ = [
    "decision_deadlines",
    "diverse_plans",
    "infeasibility",
    "lexicographic",
    "near_optimal",
    "pareto",
    "relaxations",
    "rolling_horizon",
    "shadow_prices",
    "stochastic",
    "sweep",
]
