"""The version of this release. CHANGELOG.md lists its changes."""

VERSION = "0.2.0"
