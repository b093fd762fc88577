"""Analyses of a model or a plan: prices, trade-offs, infeasibility, uncertainty."""
