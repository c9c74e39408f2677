"""The lens of a simulated IP camera: scene -> frame -> decoder -> text.

`scene` and `messages` are plain data and cheap to import; `symbol`, `frame` and `lens` need numpy
and Pillow; `decoder` imports a QR library only when one is made; `pool` runs it all in worker
processes. Import from these modules: this package loads nothing by itself, so that a process
that only talks to a pool never pays for numpy. Nothing here knows devices or networks.
"""
