"""The test bed: real servers (PowerDNS, Pebble, unbound) on loopback, in temporary folders.

Everything starts in its constructor, is ready when the constructor returns, and is a context manager.
Nothing here knows certkeeper, so demos can use it as well.
"""
