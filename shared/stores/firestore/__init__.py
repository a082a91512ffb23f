"""State in Firestore."""
