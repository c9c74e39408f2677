"""The firmware of one device: three small tables, one output table, and the actions they name.

Sans-IO: bytes, time and chance come in as arguments or events, wishes go out as effects. Start
reading at `lifecycle`; `device` ties the parts together.
"""
