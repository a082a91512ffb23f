"""A template as WhatsApp takes it, and as an independent client library writes it."""

from typing import Any

import pytest
from pywa.types.templates import BodyText, TemplateLanguage

from shared.platforms.whatsapp.outgoing import message_of, plain_message_of
from shared.schemas.content import Content, Template


@pytest.mark.parametrize("values", [(), ("A1", "today")])
def test_a_template_is_what_the_library_sends(values: tuple[str, ...]) -> None:
    template = Template(name="answer_ready", language="en_US", parameters=values)
    body = dict(message_of(Content(template=template), None))
    assert body == plain_message_of(Content(template=template))
    sent: Any = body["template"]
    assert body["type"] == "template"
    assert (sent["name"], sent["language"]) == (
        "answer_ready",
        {"code": TemplateLanguage.ENGLISH_US.value},
    )
    params: Any = BodyText.params  # its hints take the first value for `self`
    expected = [params(*values).to_dict()] if values else []
    theirs = [{**one, "type": one["type"].lower()} for one in expected]
    assert sent.get("components", []) == theirs


def test_every_language_of_the_library_is_taken() -> None:
    languages = [one.value for one in TemplateLanguage if one.value not in ("None", "UNKNOWN")]
    assert len(languages) > 60
    for language in languages:
        assert Template(name="sale", language=language).language == language
