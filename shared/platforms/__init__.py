"""Adapters, one folder for each vendor: a webhook becomes events, a command becomes an HTTP call.

All of them are pure; none does I/O.
"""
