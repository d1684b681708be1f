"""ACME (RFC 8555) in the RFC's words, as exchanges that do no I/O."""
