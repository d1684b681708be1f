"""The services of this machine, by systemd or by their own commands."""
