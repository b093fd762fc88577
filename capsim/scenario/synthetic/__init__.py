"""Synthetic scenarios of any size, from totals and a seed."""
