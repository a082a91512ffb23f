"""The policy by which the machine decides, from the operator's settings and the capabilities of the
platforms.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta

from shared.errors import Misconfigured
from shared.handoff.notices import notices
from shared.handoff.policy import LINE_PATIENCE, Policy
from shared.handoff.routing.desk import API_READERS, Desk
from shared.logs import log
from shared.schemas.content import Template
from shared.schemas.conversation import Capabilities
from shared.schemas.events import Reaction
from shared.schemas.people import Person
from shared.settings.model import Settings

HEARD = {"reactions": Reaction.kind}
WHATSAPP = "whatsapp"  # its module takes a part of the start of those who have no WhatsApp
SWITCHES = ("notices_off", "name_prefix_off", "disclosure_off")


def policy(settings: Settings, capabilities: Mapping[str, Capabilities]) -> Policy:
    """Returns the policy. Raises Misconfigured where a setting names an unknown platform."""
    return Policy(
        unclaimed_after=timedelta(seconds=settings.unclaimed_after),
        unclaimed_reminders=settings.unclaimed_reminders,
        human_idle_after=timedelta(seconds=settings.human_idle_after),
        human_idle=settings.human_idle,
        offer_after=timedelta(seconds=settings.offer_seconds),
        assign=settings.baton_assign,
        back_asked=settings.baton_back_asked == "on",
        survey=settings.baton_survey == "on",
        bot_turns_limit=settings.bot_turns_limit,
        bot_turns_within=timedelta(seconds=settings.bot_turns_within),
        give_up_after=timedelta(seconds=settings.delivery_give_up_after),
        reopen_give_up_after=timedelta(seconds=settings.reopen_give_up_after),
        reopen_templates=_templates(settings),
        line_patience=LINE_PATIENCE,
        bot_name=settings.baton_bot_name,
        webhooks=frozenset(settings.webhooks),
        bot_hears=frozenset(HEARD[one] for one in settings.baton_bot_hears),
        kept_for=timedelta(days=settings.journal_ttl_days),
        notifies_answered=settings.notify_answered == "on",
        comments=settings.crm_comment_url is not None,
        keeps_files=settings.media_bucket is not None,
        capabilities=capabilities,
        desks=_known_desks(settings.baton_desks, capabilities),
        notices=notices(settings.baton_notices, settings.baton_language),
        floor_given_back=frozenset({WHATSAPP} if settings.whatsapp_after_human == "meta" else ()),
        **{name: _known(name, getattr(settings, name), capabilities) for name in SWITCHES},
    )


def _templates(settings: Settings) -> Mapping[str, Template]:
    if settings.whatsapp_reopen_template is None:
        return {}
    name, language = settings.whatsapp_reopen_template.split("/")
    return {WHATSAPP: Template(name=name, language=language)}


def _known_desks(desks: tuple[Desk, ...], platforms: Collection[str]) -> tuple[Desk, ...]:
    """Returns the desks. Raises Misconfigured where one names an unknown channel."""
    for desk in desks:
        _known(f"baton_desks {desk.name}", desk.channels, platforms)
    return desks


def people(settings: Settings) -> Mapping[str, Person]:
    """Returns the people who answer. Raises Misconfigured where one has an unknown desk."""
    names = [desk.name for desk in (*settings.baton_desks, API_READERS)]
    for person in settings.people.values():
        _known("baton_agents", person.desks, names)
    return settings.people


def _known(setting: str, named: Iterable[str], known: Collection[str]) -> frozenset[str]:
    """Returns what a setting names. Raises Misconfigured for a name that is not known."""
    unknown = set(named) - set(known)
    if unknown:
        fault = f"{setting.upper()}: {min(unknown)} is none of {', '.join(known)}"
        log("ERROR", f"the settings are wrong: {fault}")
        raise Misconfigured(fault)
    return frozenset(named)
