"""Hardware in the loop with everything around the device: a cloud, people, phones, and the LAN."""
