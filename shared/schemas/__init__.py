"""Pydantic models that all parts of Baton share: frozen, strict for Baton's own data, tolerant
for data of others.
"""
