"""Measures on your own machine what the project claims: `python -m bench`. Compare within one run only, and ratios before figures."""
