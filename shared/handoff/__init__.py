"""The machine, pure: what follows from an event, given the conversation and the time. No I/O,
no clock, no vendor.
"""
