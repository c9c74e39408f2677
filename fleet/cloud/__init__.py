"""The platform emulator: services without sockets or clock, and the edges that serve them."""
