"""The Firestore store."""
