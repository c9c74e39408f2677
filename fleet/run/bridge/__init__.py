"""A bench as a member of a fleet: its one device takes part in a run like the simulated ones.

What people of the run do to it is done by the parts of the bench, what they see of it is read from
its light. The bench may be simulated or real; nothing here knows.
"""
