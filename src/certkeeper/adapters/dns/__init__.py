"""DNS providers, one per module, all behind the port `Dns`."""
