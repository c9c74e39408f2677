"""Graded pictures of codes: each level of one distortion, made on demand and never stored.

`table` says which levels there are, `picture` makes frame `number` of a level, `measure` counts
what a decoder reads of them, `crew` does that in worker processes.
"""
