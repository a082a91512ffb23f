"""Deploys Baton with gcloud."""
