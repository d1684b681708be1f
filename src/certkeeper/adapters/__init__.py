"""Everything that can hurt a machine: files, sockets, processes, clocks. Each adapter implements one port."""
