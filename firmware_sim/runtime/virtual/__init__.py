"""The virtual world: devices, servers and people on one clock that jumps from event to event."""
