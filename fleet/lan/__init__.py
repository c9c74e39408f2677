"""The LAN: N addresses for N devices on one host, and a look at what is said there."""
