"""certkeeper report: a page for people who look with a browser."""
