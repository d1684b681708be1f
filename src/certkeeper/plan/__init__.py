"""What a run would do, and why: a value that can be printed, refused and compared. Pure."""
