"""The long-running form: it starts runs when they are due, looks at nothing itself, and imports next to nothing."""
