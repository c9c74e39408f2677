"""The instruments around one device, sans-IO: each is told the time and what the device shows."""
