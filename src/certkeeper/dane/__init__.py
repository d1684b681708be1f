"""DANE (RFC 6698, RFC 7671): TLSA records, when a key may take over from another one, and what a handshake proves."""
