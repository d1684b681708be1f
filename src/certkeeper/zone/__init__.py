"""Zones, RRsets and changes to them (RFC 1034, RFC 2181), and the proof that name servers serve a change. Pure."""
