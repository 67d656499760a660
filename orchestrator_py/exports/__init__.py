"""Runs and history in the words of other tools: Prometheus and OpenTelemetry."""
