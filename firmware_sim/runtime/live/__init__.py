"""Many devices in one event loop, on real sockets. Drivers only: no behaviour of a device."""
