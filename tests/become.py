"""A program that ends with the process that started it, however that one ends."""

# Asks Linux to end this process with its parent, then becomes the program; elsewhere the fixture
# alone ends it.
BECOME = """
import ctypes, os, signal, sys
parent = int(sys.argv[1])
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() == parent:
    os.execvp(sys.argv[2], sys.argv[2:])
"""
