"""Causes planted on purpose, and what the verdict made of each."""
