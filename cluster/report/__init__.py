"""What people see: the page, the flame graph, the terminal summary, and progress during a run."""
