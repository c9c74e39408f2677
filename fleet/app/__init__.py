"""The phone: a Developer app that unbinds devices and a consumer app that pairs them.

The phone meets the cloud over HTTP and devices over the LAN or by a QR code, never by import.
Cores (`messages`, `finder`, `handover`, `qr`) take bytes and return meaning; only `cloud_link`
and `lan_client` open sockets.
"""
