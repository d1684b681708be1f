"""The command line. Importing it loads no library: each command loads what it needs."""
