"""What an operator may use of Baton: which doors each use has, what these need, and the page that
says where the values are found.
"""

import argparse
import contextlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from infra.deployables import deployables, secrets
from shared.handoff.routing.desk import Desk
from shared.schemas.desk_kinds import DESK_KINDS, Way
from shared.settings.doors import DOORS, Door
from shared.settings.model import Settings, read_settings

ROW = "BATON_DESKS"  # a desk that Baton calls has a row there
# the team's notifications go there without a desk
TEAM_TARGETS = {"SLACK_WEBHOOK_URL", "GOOGLE_CHAT_WEBHOOK_URL"}


@dataclass(frozen=True, slots=True)
class Use:
    """A channel, a desk, or something else that is used where its settings are set. `doors` are
    names of shared/settings/doors.py.
    """

    kind: Literal["channel", "desk", "other"]
    doors: tuple[str, ...]
    page: str


USES: Mapping[str, Use] = {
    "business_messages": Use(
        "channel",
        ("webhook of Business Messages",),
        "shared/platforms/business_messages/README.md#keys",
    ),
    "rcs": Use("channel", ("webhook of RCS",), "shared/platforms/rcs/README.md#keys"),
    "whatsapp": Use(
        "channel",
        ("webhook of WhatsApp", "messages and files of WhatsApp"),
        "shared/platforms/whatsapp/README.md#keys",
    ),
    "api": Use("desk", ("REST API",), "functions/README.md#answering-as-a-human-agent"),
    "ccai": Use(
        "desk",
        (
            "webhook of CCAI",
            "chats at CCAI, which an erase ends too",
            "queue of chats at CCAI, for desks that name none",
        ),
        "shared/platforms/ccai/README.md#keys",
    ),
    "csku": Use(
        "desk", ("webhook of CSKU", "flags at CSKU"), "shared/platforms/csku/README.md#keys"
    ),
    "google_chat": Use(
        "desk",
        ("threads at Google Chat, whose webhook brings the answers",),
        "shared/platforms/google_chat/README.md#keys",
    ),
    "matrix": Use(
        "desk",
        ("webhook of Matrix", "rooms of Matrix, which an erase reaches too"),
        "shared/platforms/matrix/README.md#keys",
    ),
    "slack": Use(
        "desk",
        (
            "webhook of Slack",
            "threads of Slack, which an erase reaches too",
            "files of Slack",
        ),
        "shared/platforms/slack/README.md#keys",
    ),
    "bridge": Use("other", ("bridge",), "functions/forward_variables/README.md"),
    "webhooks": Use("other", ("plain webhooks of bot and desk",), "functions/README.md#webhooks"),
    "crm": Use("other", ("comments in the CRM",), "functions/forward_variables/README.md"),
    "dialogflow": Use("other", ("Dialogflow",), "functions/run_bot/README.md"),
    "media": Use("other", ("links to files",), "functions/README.md#files"),
    "people": Use(
        "other", ("sessions of people",), "functions/send_representative/README.md#sign-in"
    ),
    "team": Use("other", ("webhook of the team",), "functions/README.md#webhooks"),
}
CHANNELS, DESKS = (
    tuple(name for name, use in USES.items() if use.kind == kind) for kind in ("channel", "desk")
)
_BY_NAME = {door.name: door for door in DOORS}


@dataclass(frozen=True, slots=True)
class Missing:
    """A setting or secret without a value, the use that needs it, and where its value is found."""

    name: str
    use: str

    @property
    def page(self) -> str:
        return USES[self.use].page

    @property
    def secret(self) -> bool:
        return self.name in secrets(deployables())


def uses(chosen: Iterable[str], known: Mapping[str, str], present: Iterable[str]) -> list[str]:
    """Returns what is used: the channels and desks that were chosen, else those of which a secret
    has a value. `known` are settings with their values; of secrets only `present` names are needed.
    Raises Misconfigured.
    """
    chosen, settings, there = set(chosen), _settings(known, present), _present(known, present)
    return [name for name, use in USES.items() if _is_used(name, use, chosen, settings, there)]


def missing(used: Iterable[str], known: Mapping[str, str], present: Iterable[str]) -> list[Missing]:
    """Returns what these uses need and what is not set. Raises Misconfigured."""
    return list(dict.fromkeys(_missing(set(used), _settings(known, present))))


def add_uses(parser: argparse.ArgumentParser) -> None:
    """Adds the options by which an operator says what they use."""
    for option, known in (("--channels", CHANNELS), ("--desk", DESKS)):
        what = f"which of {','.join(known)} you use (default: those of which a secret has a value)"
        parser.add_argument(option, type=_some_of(known), default=(), help=what)


def _some_of(known: tuple[str, ...]) -> Callable[[str], tuple[str, ...]]:
    def read(text: str) -> tuple[str, ...]:
        named = tuple(one.strip() for one in text.split(","))
        if unknown := [one for one in named if one not in known]:
            raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(known)}")
        return named

    return read


def platforms_in(used: Iterable[str]) -> list[str]:
    """Returns the platforms among these uses, as BATON_PLATFORMS names them."""
    paths = deployables()["receive_webhook"].paths
    return [path for path in paths if path in set(used)]


def _is_used(name: str, use: Use, chosen: set[str], settings: Settings, present: set[str]) -> bool:
    if use.kind == "other" and name != "bridge":
        return any(door.is_used(settings) for door in _doors(use))
    if use.kind != "other" and chosen:
        return name in chosen
    if name in settings.baton_platforms or any(desk.kind == name for desk in settings.baton_desks):
        return True
    needs = {need.upper() for door in _doors(use) for need in door.needs}
    own = (one for one in present - TEAM_TARGETS if one.startswith(f"{name.upper()}_"))
    return bool(needs & present) or any(own)


def _missing(used: set[str], settings: Settings) -> Iterator[Missing]:
    """Yields what is missing. A desk that was chosen and has no row is looked at as if it had
    one.
    """
    desks = settings.baton_desks
    for kind, able in DESK_KINDS.items():
        opens_chats = kind in used and able.way is Way.OPENS_CHATS
        if opens_chats and not any(desk.kind == kind for desk in settings.baton_desks):
            yield Missing(ROW, kind)
            desks = (*desks, Desk.model_construct(name=kind, kind=kind))
    platforms = tuple(platforms_in(used))
    looked_at = settings.model_copy(update={"baton_desks": desks, "baton_platforms": platforms})
    for name, use in USES.items():
        if name in used:
            for door in _doors(use):
                needs = door.needs if door.is_used(looked_at) else ()
                yield from (
                    Missing(need.upper(), name) for need in needs if not _is_set(settings, need)
                )


def _doors(use: Use) -> list[Door]:
    return [_BY_NAME[name] for name in use.doors]


def _is_set(settings: Settings, name: str) -> bool:
    return getattr(settings, name) not in (None, "", (), {})  # 0 is a value


def _settings(known: Mapping[str, str], present: Iterable[str]) -> Settings:
    """Returns the plain settings, and of each secret with a value only that it has one."""
    hidden = set(secrets(deployables()))
    plain = {name: value for name, value in known.items() if name not in hidden}
    with contextlib.redirect_stdout(io.StringIO()):  # the caller names the faults
        settings = read_settings(plain)
    values: dict[str, Any] = {name.lower(): "has a value" for name in _present(known, present)}
    return settings.model_copy(update=values)


def _present(known: Mapping[str, str], present: Iterable[str]) -> set[str]:
    """Returns the secrets that have a value."""
    return {*present, *known} & set(secrets(deployables()))
