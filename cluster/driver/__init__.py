"""The order of a run: the only place that knows what happens when."""
