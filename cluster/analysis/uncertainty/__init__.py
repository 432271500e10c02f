"""How exactly figures are known: percentiles, their intervals, repetition."""
