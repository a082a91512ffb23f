"""A caller's text must hold a word: one of white space only is refused with its field."""

import pytest

from shared.api.bodies import MessageBody
from shared.errors import BadRequest
from shared.platforms.bodies import validate


@pytest.mark.parametrize("field", ["text", "fallback"])
def test_a_text_of_white_space_is_refused(field: str) -> None:
    body = {"messageId": "m", "text": "x", field: " \n\t"}
    with pytest.raises(BadRequest, match=f"{field}: must hold more than white space"):
        validate(MessageBody, body)
