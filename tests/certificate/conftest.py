"""The plan by hand, for every test here."""

from hand_made import hand_plan, hand_scenario

__all__ = ["hand_plan", "hand_scenario"]
