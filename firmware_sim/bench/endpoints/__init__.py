"""Where programs get at the parts of a simulated bench: terminals, serial ports over TCP, HTTP."""
