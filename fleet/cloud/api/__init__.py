"""The edges of the cloud: bytes of a request in, a call of the services, bytes of a reply out."""
