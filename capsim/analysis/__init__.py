"""Analyses of a model or a plan: prices, trade-offs, infeasibility, uncertainty."""

__all__ = [
    "diverse_plans",
    "infeasibility",
    "lexicographic",
    "limit_relaxations",
    "near_optimal",
    "pareto",
    "rolling_horizon",
    "shadow_prices",
    "stochastic",
    "sweep",
]
