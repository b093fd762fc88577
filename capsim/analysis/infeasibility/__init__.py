"""Explanations of infeasibility: what cannot hold together, and what would cure it."""

__all__ = ["diagnosis", "elastic", "rules", "sentences"]
