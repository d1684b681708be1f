"""TLSA records of certificates: looked at, decided on, published."""
