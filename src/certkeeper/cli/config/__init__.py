"""`certkeeper config …`, one module per command."""
