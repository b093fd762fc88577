"""The price of safety: what a plan costs by the probability that it holds."""
