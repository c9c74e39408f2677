"""The worlds a device can run in: live (real sockets and lenses); others come beside it."""
