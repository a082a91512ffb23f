"""Calls to desks: a chat is opened for a handoff, gets the customer's messages and is closed. The
vendors' formats are in `platforms`.
"""
