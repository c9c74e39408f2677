"""Results of runs for people and programs: `report.json`, tables, and the command that makes them.

Imports `fleet.run`, which knows nothing of reports: how a run went is a struct, and only this
room decides how it is written down.
"""
