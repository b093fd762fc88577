"""Why no plan meets every target: what cannot hold together, and what would cure it."""
