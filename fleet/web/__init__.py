"""Pages and the control API that a browser needs: served by the fleet itself, offline, no build step.

Rooms are tables of routes (`routes`), one guard stands before all of them (`guard`), and what runs
is told to pages by server-sent events (`feed`). The pages are plain files below `static/`.
"""
