"""Baton whole on one machine: every function behind one port, SQLite state, a simulated
messaging platform.
"""
