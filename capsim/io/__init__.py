"""Files that appear whole or not at all, results kept for resuming, and workers for tasks."""

__all__ = ["atomic", "cache", "executors"]
