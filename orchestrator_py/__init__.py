"""Runs groups of subtasks concurrently and reports truly how they went."""
