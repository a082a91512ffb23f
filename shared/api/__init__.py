"""The REST surface: Business Messages' own paths for bots and desks, and control of
conversations.
"""
