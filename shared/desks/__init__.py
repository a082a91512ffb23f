"""Desks that must be called: one file per vendor, pure; what to tell them in, HTTP calls out,
answers judged.
"""
