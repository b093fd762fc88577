"""The program of a plan: its data, variables, costs and constraints."""

from capsim.model.model import Model, formulate

__all__ = ["Model", "formulate"]
