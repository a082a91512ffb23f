"""Representatives: who speaks to the customer.

https://developers.google.com/business-communications/business-messages/reference/rest/v1/Representative
"""

from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

from shared.schemas.base import Theirs

# characters; a platform's longer name is cut, a caller's is refused
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
        """The name that identifies a representative within a conversation."""
        return self.display_name or ""
