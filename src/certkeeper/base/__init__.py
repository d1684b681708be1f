"""Values that every subject speaks: names, keys, times, wire values, errors, events. No I/O, no heavy imports."""
