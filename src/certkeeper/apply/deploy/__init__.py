"""Putting live certificates into services: one transaction for each service, with all its certificates."""
