"""Decomposition: programs solved block by block, coupling rows priced or shared out."""

__all__ = ["block_search", "blocks", "dantzig_wolfe", "fixing"]
