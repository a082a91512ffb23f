"""What response times and outcomes mean, and how they are counted: pure, one definition for
running and rebuilding.
"""
