"""Many devices and whom they talk to: the cloud, the phone app, the LAN, the runner, the report."""
