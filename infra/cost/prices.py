"""The prices of prices.json: list prices of one region, with the page of each and one date."""

import json
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

FILE = Path(__file__).with_name("prices.json")


class Price(BaseModel):
    """What `per` units cost; `free` units of each month cost nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dollars: Annotated[float, Field(gt=0)]
    per: Annotated[int, Field(gt=0)]
    of: str
    page: Annotated[str, Field(pattern=r"^https://")]
    free: int = 0

    def of_units(self, units: float) -> float:
        """Returns the dollars for so many units in a month."""
        return max(units - self.free, 0.0) * self.dollars / self.per


class Prices(BaseModel):
    """All prices, of one day and region."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    region: str
    prices: dict[str, Price]


def prices() -> Prices:
    """Returns the prices. Raises pydantic.ValidationError."""
    return Prices.model_validate(json.loads(FILE.read_text()))
