"""What the engine can do and what holds it back: observations, weights, sentences."""
