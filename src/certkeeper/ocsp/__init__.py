"""What a CA says of a certificate now (RFC 6960), asked for, proven and judged. No I/O, no clock."""
