"""Days to come, played: the planner on the page and the certificates that are there, with a clock of its own."""
