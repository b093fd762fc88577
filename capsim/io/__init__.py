"""Files that appear whole or not at all, results kept for resuming, and workers for tasks."""
