"""The built-in bots: pure, as platforms are; what is asked becomes a call, an answer becomes a
reply.
"""
