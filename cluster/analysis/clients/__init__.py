"""Whether the load clients can be believed."""
