"""The bot of the reference conversation. It replies to everything with thanks, and says that a
person will come.

https://developers.google.com/business-communications/business-messages/guides/how-to/conversations/bot-live-agent-handoff
"""

from shared.bots.base import Reply
from shared.schemas.content import Content

TEXT = (
    "Thanks for contacting us. I'll pass this along when a "
    "live agent is available to chat with you."
)
ACKNOWLEDGEMENT = Reply(contents=(Content(text=TEXT),))
