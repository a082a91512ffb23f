"""How the team hears of a handoff: one file per kind of target, pure, a briefing in and an HTTP
call out.
"""
