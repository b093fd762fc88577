"""Models: each file makes a scenario of any size and registers it."""
