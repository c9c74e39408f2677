"""Bytes to meaning and back: the formats that device, cloud and app share.

Pure functions and small stream decoders: no socket, no clock, no chance, no policy. Each module is
imported by its own name. Every decoder answers with a value or with a `PeerError`, whatever the
bytes are. The formats themselves are described in this package's README.md.
"""
