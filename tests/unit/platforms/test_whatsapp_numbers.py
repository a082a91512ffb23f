"""One webhook address serves all numbers of the Meta app; Baton serves those it is given."""

import json
from typing import Any

import pytest

from shared.platforms.whatsapp.platform import WhatsApp
from shared.platforms.whatsapp.webhook import Numbers
from shared.schemas.http import Request
from shared.settings.model import Settings


def _batch(*numbers: Any) -> Request:
    def value(number: Any, n: int) -> dict[str, Any]:
        said = {"from": "12025550100", "id": f"wamid.{n}", "type": "text", "text": {"body": "hi"}}
        failed = {"id": f"wamid.S{n}", "status": "failed", "recipient_id": "12025550100"}
        lists = {"messages": [said], "statuses": [failed]}
        return {"metadata": {"phone_number_id": number}, **lists}

    changes = [{"field": "messages", "value": value(one, n)} for n, one in enumerate(numbers)]
    body = json.dumps({"entry": [{"changes": changes}]}).encode()
    return Request("POST", "/whatsapp", body)


def _logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    out = capsys.readouterr()
    return [json.loads(line) for line in (out.out + out.err).splitlines()]


def test_a_number_that_baton_does_not_serve_is_left_alone_and_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    served = WhatsApp(numbers=Numbers(("106", "107")))
    found = served.events(_batch("106", "999", "999", "107"))
    assert len(found) == 4
    assert {one.source.partition(":")[0] for one in found} == {"whatsapp"}
    assert {getattr(one, "address", "").partition("|")[0] for one in found} == {"106", "107"}
    (line,) = _logged(capsys)
    assert (line["severity"], line["number"], line["items"]) == ("INFO", "999", 4)


def test_without_the_setting_all_are_served_and_each_is_named_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    every = WhatsApp()
    for _ in range(3):
        assert len(every.events(_batch("106", "999"))) == 4
    lines = _logged(capsys)
    assert [(one["severity"], one["number"]) for one in lines] == [
        ("WARNING", "106"),
        ("WARNING", "999"),
    ]


def test_a_batch_without_a_number_is_still_alarmed(capsys: pytest.CaptureFixture[str]) -> None:
    assert WhatsApp(numbers=Numbers(("106",))).events(_batch(None)) == []
    assert [one["severity"] for one in _logged(capsys)] == ["ERROR"]


def test_the_setting_takes_ids_and_no_telephone_number() -> None:
    assert Settings.model_validate({"whatsapp_numbers": "106, 107"}).whatsapp_numbers == (
        "106",
        "107",
    )
    with pytest.raises(ValueError, match="phone number ids"):
        Settings.model_validate({"whatsapp_numbers": "+1 555 078 3009"})
