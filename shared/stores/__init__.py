"""Where state lives: SQLite on one machine, Firestore deployed, behind one port and one
contract suite.
"""
