"""Runs and history as a page: the documents that people look at."""
