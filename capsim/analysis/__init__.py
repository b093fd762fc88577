"""Analyses of a model or a plan: prices, trade-offs, infeasibility, uncertainty."""

__all__ = [
    "decision_deadlines",
    "diverse_plans",
    "fairness",
    "infeasibility",
    "lexicographic",
    "near_optimal",
    "objective_level",
    "pareto",
    "relaxations",
    "rolling_horizon",
    "shadow_prices",
    "stochastic",
    "sweep",
]
