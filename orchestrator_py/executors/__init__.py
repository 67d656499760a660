"""Engines that run work elsewhere. `distributed` is imported where it is needed, and by nobody who works on this machine alone."""
