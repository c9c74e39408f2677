"""One simulated device: its firmware, its lens, its wire formats and the worlds it can run in.

Nothing in this package knows that there is a fleet. See the README beside the packages for the
map, and CONTRIBUTING for the walls between the rooms.
"""
