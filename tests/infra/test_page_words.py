"""The page of a local run has plain words for what Baton did."""

import re
from typing import get_args

from infra.deployables import ROOT
from shared.schemas.commands import Command, SendEvent

KNOWS = ROOT / "infra" / "local" / "page" / "knows.js"


def test_every_kind_of_command_has_words() -> None:
    (words,) = re.findall(r"const WHAT = \{(.*?)\};", KNOWS.read_text(), re.DOTALL)
    kinds = {one.model_fields["kind"].default for one in get_args(get_args(Command)[0])}
    # an event says by its type what it is
    assert set(re.findall(r"^  (\w+):", words, re.MULTILINE)) == kinds - {
        SendEvent.model_fields["kind"].default
    }
