"""What watches the engine: preflight, the session with its windows, and one file per lane."""
