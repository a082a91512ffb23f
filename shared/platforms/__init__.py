"""One file per vendor, pure: a webhook in becomes events, a command out becomes an HTTP call.
Nothing here does I/O.
"""
