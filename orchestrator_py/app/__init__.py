"""The composition root: chooses the real parts and joins them."""
