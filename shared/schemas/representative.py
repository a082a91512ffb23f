"""Who speaks.
https://developers.google.com/business-communications/business-messages/reference/rest/v1/Representative
"""

from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

from shared.schemas.base import Theirs

# characters; what a platform says longer is cut, what a caller says longer is refused
NAME_LIMIT = 256


class RepresentativeType(StrEnum):
    BOT = "BOT"
    HUMAN = "HUMAN"


class Representative(Theirs):
    representative_type: RepresentativeType
    display_name: Annotated[str, StringConstraints(max_length=NAME_LIMIT)] | None = None
    avatar_image: Annotated[str, StringConstraints(max_length=2048)] | None = None

    @property
    def name(self) -> str:
        """What tells one representative from another within a conversation."""
        return self.display_name or ""
