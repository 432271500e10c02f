"""Whether a level was in a steady state, and where its warm-up ended."""
