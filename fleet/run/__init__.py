"""A batch unbinding of a live fleet: scenario, population, shard processes, people, checks.

Imports the cloud, the app and the LAN (which do not know each other) and starts them; nothing
below this room knows that there is a run. Start reading at `runner`.
"""
