"""Measures on your own machine what the project claims, beside what one would otherwise use: `python -m bench`."""
