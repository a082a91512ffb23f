"""The machine: what follows from an event, given the conversation and the time. It is pure: no
I/O, no clock, no vendor.
"""
