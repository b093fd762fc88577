"""Texts in the reader's language: messages with their values, and numbers as readers write them."""

__all__ = ["language", "message"]
