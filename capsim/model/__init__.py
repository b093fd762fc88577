"""What the program is: its data, variables, costs and constraints."""

from __future__ import annotations

from capsim.model.model import Model, formulate

__all__ = ["Model", "formulate"]
