"""Searching for what breaks: seeds with random faults, played on all cores, replayed and shrunk.

The way of working is TigerBeetle's (`docs/internals/vopr.md` in its repository): a seed and a
commit are the whole report of a failure. What a run is made of is a `Case`.
"""
