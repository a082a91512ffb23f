"""Baton's shared code. `shared/README.md` lists the rooms; import-linter enforces their order."""
