"""Synthetic scenarios of any size, from totals and a seed."""

__all__ = ["generator", "people", "projects", "recipe", "schools"]
