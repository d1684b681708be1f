"""`certkeeper account …`, one module per command."""
