"""The typed experiment, its YAML reader, and the plan it becomes."""
