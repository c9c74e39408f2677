"""The phone: a Developer app that unbinds devices and a consumer app that pairs and controls them.

The phone meets the cloud over HTTP and devices over the LAN or by a QR code, never by import.
Cores (`messages`, `finder`, `handover`, `lan_control`, `lan_happenings`, `qr`) take bytes and
return meaning; only `cloud_link`, `lan_client`, `lan_caller`, `lan_device` and `lan_line` have to
do with sockets.
"""
