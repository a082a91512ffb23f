"""Who speaks. https://developers.google.com/business-communications/business-messages/reference/rest/v1/Representative"""

from enum import StrEnum

from shared.schemas.base import Theirs


class RepresentativeType(StrEnum):
    BOT = "BOT"
    HUMAN = "HUMAN"


class Representative(Theirs):
    representative_type: RepresentativeType
    display_name: str | None = None
    avatar_image: str | None = None

    @property
    def name(self) -> str:
        """What tells one representative from another within a conversation."""
        return self.display_name or ""
