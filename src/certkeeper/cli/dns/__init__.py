"""`certkeeper dns …`, one module per command."""
