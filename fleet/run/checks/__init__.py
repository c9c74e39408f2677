"""What must hold in every run: one file per invariant, and what they have in common.

At the end of a run, live or virtual, each invariant looks at the `Evidence` (`at_end`). In virtual
time some also look on all the while (`Watcher`); `table` lists them, `watching` attaches them.
"""
