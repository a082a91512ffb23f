"""The built-in bots. They are pure, as platforms are: a question becomes a call, and an answer
becomes a reply.
"""
