"""Representatives: who speaks to the customer.

https://developers.google.com/business-communications/business-messages/reference/rest/v1/Representative
"""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, StringConstraints

from shared.schemas.base import JsonObject, Theirs

# characters; a platform's longer name is cut, a caller's is refused
NAME_LIMIT = 256


class RepresentativeType(StrEnum):
    BOT = "BOT"
    HUMAN = "HUMAN"


class Representative(Theirs):
    representative_type: RepresentativeType
    display_name: Annotated[str, StringConstraints(max_length=NAME_LIMIT)] | None = None
    avatar_image: Annotated[str, StringConstraints(max_length=2048)] | None = None

    # Stored as it is, so that fields of a newer version pass.
    model_config = ConfigDict(extra="allow")

    @property
    def known(self) -> "Representative":
        """Returns what Baton knows of a caller's: unknown fields are not stored."""
        return Representative.model_validate(
            {name: getattr(self, name) for name in Representative.model_fields}
        )

    @property
    def shown(self) -> JsonObject:
        """Returns it in Business Messages form, without what a newer version stored with it."""
        known = set(Representative.model_fields)
        return self.model_dump(mode="json", by_alias=True, include=known, exclude_none=True)

    @property
    def name(self) -> str:
        """The name that identifies a representative within a conversation."""
        return self.display_name or ""


def is_bots(who: Representative) -> bool:
    """Returns whether this is a bot."""
    return who.representative_type is RepresentativeType.BOT
