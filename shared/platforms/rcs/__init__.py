"""RCS for Business."""
