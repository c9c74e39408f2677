"""Hardware in the loop: what a test bench does to one device, and what its instruments read."""
