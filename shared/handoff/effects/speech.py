"""What representatives say to the customer, and what Baton says of its own, as the channel can
show it.
"""

from collections.abc import Callable

from shared.handoff.effects.frames import introduce
from shared.handoff.effects.notifications import notification
from shared.handoff.notices import Notice
from shared.handoff.turn import Turn, expect
from shared.schemas.commands import SendMessage, SendSurvey
from shared.schemas.content import TEXT_LIMIT, Content
from shared.schemas.events import HumanMessage, Said, SurveyAsked
from shared.schemas.representative import Representative, RepresentativeType
from shared.schemas.texts import shortened, split_text

OWED = (Notice.NOBODY, Notice.CLOSED, Notice.CLOSED_WAITING)


def message(turn: Turn) -> None:
    """Says it in the human's frame, unless the channel has shown it already; the first word
    ends the wait.
    """
    event = expect(turn.event, HumanMessage)
    if not event.delivered and not _say(turn, event):
        return
    if turn.conversation.request and turn.conversation.first_response_seconds is None:
        turn.change(first_response_seconds=turn.waited_seconds)


def bot_message(turn: Turn) -> None:
    if turn.conversation.unsubscribed_at is None:
        _say(turn, expect(turn.event, Said))
    else:
        turn.reason = "unsubscribed"


def survey(turn: Turn) -> None:
    event, known = expect(turn.event, SurveyAsked), turn.conversation
    who, channel = event.representative, known.speaks_on
    turn.send(SendSurvey(id=turn.next_id(), to=known.address, channel=channel, representative=who))
    turn.change(surveyed_at=turn.now)


def say(notice: Notice) -> Callable[[Turn], None]:
    return lambda turn: say_notice(turn, notice)


def say_notice(turn: Turn, notice: Notice, **values: object) -> None:
    """Says Baton's own words, with what they speak of, unless the customer is to hear none.

    Whoever cannot be written to is owed the answer to their asking for a human.
    """
    if notice in OWED and not turn.is_off(turn.policy.notices_off):
        turn.change(owed=notice.value if turn.outside_window else None)
    if _may_say(turn, notice):
        bot = Representative(
            representative_type=RepresentativeType.BOT, display_name=turn.policy.bot_name
        )
        turn.send(
            _to_customer(turn, turn.next_id(), bot, Content(text=turn.text(notice, "", **values)))
        )


def _may_say(turn: Turn, notice: Notice) -> bool:
    """Where the last human's leaving is told in words, they say already that the bot is back."""
    said_already = notice is Notice.RETURNED and not turn.capabilities.frames
    unwanted = turn.conversation.unsubscribed_at is not None or turn.is_off(turn.policy.notices_off)
    return not (said_already or unwanted)


def _say(turn: Turn, event: Said) -> bool:
    """Returns whether the customer may be written to; if not, the team is told that this was not
    said.

    Where their own platform delivers, it was said there.
    """
    if turn.conversation.tracked:
        return True
    if turn.outside_window:
        turn.reason = "outside-window"
        turn.commands.append(notification(turn, "delivery.failed"))
        return False
    own, human = turn.next_id(), turn.conversation.present(event.representative)
    frame = introduce(turn, human).frame if human and isinstance(event, HumanMessage) else None
    prefix = _prefix(turn, event.representative)
    if prefix and event.content.text is None:  # a picture or card has no words to put it before
        turn.send(
            _said(turn, event, turn.derived_id(Notice.PREFIX), Content(text=prefix.rstrip()), frame)
        )
    for place, content in enumerate(_pieces(turn, event.content, prefix)):
        turn.send(_said(turn, event, turn.next_id() if place else own, content, frame))
    return True


def _said(
    turn: Turn, event: Said, command: str, content: Content, frame: str | None
) -> SendMessage:
    return _to_customer(turn, command, event.representative, content, frame)


def _to_customer(
    turn: Turn, command: str, who: Representative, content: Content, frame: str | None = None
) -> SendMessage:
    to, channel = turn.conversation.address, turn.conversation.speaks_on
    return SendMessage(
        id=command, to=to, channel=channel, representative=who, content=content, frame=frame
    )


def _prefix(turn: Turn, who: Representative) -> str:
    """Returns what stands before a human's words where the channel does not show who speaks."""
    labelled = turn.capabilities.labels or turn.is_off(turn.policy.name_prefix_off)
    return (
        ""
        if labelled or who.representative_type is RepresentativeType.BOT
        else turn.text(Notice.PREFIX, who.name)
    )


def _pieces(turn: Turn, content: Content, prefix: str) -> list[Content]:
    """Returns it in pieces that the channel takes, each with the prefix; none of a text in
    which there is no word.
    """
    if content.text is None:
        return [content]
    limit = min(turn.capabilities.text_limit, TEXT_LIMIT)
    prefix = shortened(prefix, limit // 2, mark="")
    pieces = split_text(content.text, limit - len(prefix))
    said = [Content(text=prefix + piece) for piece in pieces[:-1]]
    return [*said, *(content.model_copy(update={"text": prefix + piece}) for piece in pieces[-1:])]
