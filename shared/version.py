"""The version of this release; CHANGELOG.md says what it holds."""

VERSION = "0.1.0"
