"""loadcluster: what can a TCP engine really do, and what holds it back."""
