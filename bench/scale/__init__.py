"""A simulation of runs that are too large for one machine's patience: real decisions, virtual time, an engine that only pretends to work.

Schedule, answers, aggregation, summary, metrics entry and rollups are those of the package. Workers, their deaths, the disk and the cost of
the event loop are modelled. All that depends on the model is the same for the same seed; what is measured is told apart.
"""
