"""The words every part of Baton shares: frozen models, strict for what is ours, tolerant for
what is theirs.
"""
