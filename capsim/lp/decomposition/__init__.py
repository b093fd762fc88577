"""Decomposition: programs solved block by block, coupling rows priced or shared out."""

__all__ = ["block_milp", "blocks", "dantzig_wolfe", "fixing_heuristics"]
