"""Baton's shared code, from the doors inward; each layer imports only those below it (import-linter holds this).

functions/*      one deployable each: fifteen lines that bind a door to a service
bootstrap, edge  composition root; starlette in and out, and the one table error -> answer
api              the REST surface: routes, bodies, keys
services         use cases: plain functions over ports
stores, transports            adapters: SQLite, Firestore, queues, HTTP
platforms        one file per vendor, pure: bytes in -> events out, command in -> HTTP call out
handoff          the machine, pure: (conversation, event, now) -> what follows
desks            one file per desk that must be called, pure: what to tell it in -> HTTP calls out
reports          what response times and outcomes mean, pure: events -> measures -> figures
ports            what services need of the outside
schemas, errors  words that everyone shares
"""
