"""Stores of state: SQLite on one machine, Firestore in a deployment.

Both implement `ConversationStore` and pass the same contract tests.
"""
