"""Team notifications: one adapter for each kind of target, which turns a briefing into an HTTP
call.
"""
