"""The cloud's edges: where sockets, the clock and the store's thread meet the sans-IO node."""
