"""Keeps certificates, DNS records and the services that use them in step."""

__version__ = "0.1.0"
