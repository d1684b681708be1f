"""Servers that use certificates, from Debian, on loopback and in folders of their own."""
