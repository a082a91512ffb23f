"""What representatives say to the customer, and Baton's own notices, as the channel can show
them.
"""

from collections.abc import Callable

from shared.handoff.draft import Draft, expect
from shared.handoff.effects.frames import introduce
from shared.handoff.effects.notifications import notification
from shared.handoff.notices import Notice
from shared.schemas.commands import SendMessage, SendReaction, SendSurvey, State
from shared.schemas.content import TEXT_LIMIT, Content, File
from shared.schemas.conversation import Waiting
from shared.schemas.events import HumanMessage, HumanReacted, Said, SurveyAsked
from shared.schemas.representative import Representative, RepresentativeType
from shared.schemas.texts import shortened, split_text

OWED = (Notice.NOBODY, Notice.CLOSED, Notice.CLOSED_WAITING, Notice.PASSED_ON)


def message(draft: Draft) -> None:
    """Sends the message in the human's frame, unless the channel has shown it. The first message
    ends the wait.
    """
    event = expect(draft.event, HumanMessage)
    if not event.delivered and not _say(draft, event):
        return
    draft.spoke = event.representative
    if draft.conversation.request and draft.conversation.first_response_seconds is None:
        draft.change(first_response_seconds=draft.waited_seconds)


def bot_message(draft: Draft) -> None:
    if draft.conversation.unsubscribed_at is not None:
        draft.reason = "unsubscribed"
    elif not draft.may_answer:
        draft.reason = "not-active"
    else:
        _say(draft, expect(draft.event, Said))


def react(draft: Draft) -> None:
    event, known = expect(draft.event, HumanReacted), draft.conversation
    human = known.present(event.representative)
    draft.send(
        SendReaction(
            id=draft.next_id(),
            to=known.address,
            channel=known.speaks_on,
            representative=event.representative,
            frame=introduce(draft, human).frame if human else None,
            about=event.about,
            emoji=event.emoji,
        )
    )


def survey(draft: Draft) -> None:
    event, known = expect(draft.event, SurveyAsked), draft.conversation
    who, channel = event.representative, known.speaks_on
    draft.send(
        SendSurvey(id=draft.next_id(), to=known.address, channel=channel, representative=who)
    )
    draft.change(surveyed_at=draft.now)


def say(notice: Notice) -> Callable[[Draft], None]:
    return lambda draft: say_notice(draft, notice)


def say_notice(draft: Draft, notice: Notice, **values: object) -> None:
    """Sends a notice of Baton's own, unless a setting or the customer has switched notices off.

    Where the window is closed or another sender is active, the answer to a request for a human is
    owed, and sent later.
    """
    if notice in OWED and not draft.is_off(draft.policy.notices_off):
        unsaid = draft.outside_window or not draft.has_floor
        draft.change(owed=notice.value if unsaid else None)
    if _may_say(draft, notice):
        say_with(draft, Content(text=draft.text(notice, "", **values)))


def say_with(draft: Draft, said: Content) -> None:
    """Sends words of Baton's own, also with suggestions."""
    draft.send(_to_customer(draft, draft.next_id(), draft.policy.bot, said))


def _may_say(draft: Draft, notice: Notice) -> bool:
    """Where LEFT of the last human is a text, that text says already that the bot is back."""
    said_already = notice is Notice.RETURNED and not draft.capabilities.frames
    unwanted = draft.conversation.unsubscribed_at is not None or draft.is_off(
        draft.policy.notices_off
    )
    return draft.has_floor and not (said_already or unwanted)


def _say(draft: Draft, event: Said) -> bool:
    """Returns whether the message was sent. Where the window is closed it is not: it waits for the
    customer, or the team is notified.

    In a tracked conversation the platform has shown it already.
    """
    if draft.conversation.tracked:
        return True
    if draft.may_wait:
        _hold(draft, event)
        return False
    if draft.outside_window and draft.is_template:
        send_template(draft, draft.next_id(), event.content, event.representative)
        return True
    if draft.outside_window:
        draft.reason = "outside-window"
        draft.emit(notification(draft, "delivery.failed"))
        return False
    own, human = draft.next_id(), draft.conversation.present(event.representative)
    frame = introduce(draft, human).frame if human and isinstance(event, HumanMessage) else None
    content = _with_place(draft, event)
    whole = _to_customer(draft, own, event.representative, content, frame, _about(event))
    say_in_pieces(draft, whole, draft.derived_id(Notice.PREFIX))
    return True


def send_template(
    draft: Draft, command: str, content: Content, who: Representative, *, reopens: bool = False
) -> None:
    """Sends a template while the window is closed: no JOINED or LEFT can be shown then. Where the
    frame of a human stands open it is sent in that. Otherwise it is the business's, as a bot's.
    """
    known = draft.conversation
    here = [human for human in (*known.humans, *known.left_unseen) if human.told]
    theirs = [human for human in here if human.representative.name == who.name]
    human = next(iter([*theirs, *here]), None)
    if human is not None:
        who = human.representative
    elif who.representative_type is RepresentativeType.HUMAN:
        who = draft.policy.bot
    frame = human.frame if human else None
    whole = _to_customer(draft, command, who, content, frame)
    draft.send(whole.model_copy(update={"reopens": reopens}))


def _about(event: Said) -> str | None:
    return event.about if isinstance(event, HumanMessage) else None


def _with_place(draft: Draft, event: Said) -> Content:
    """Returns what was said. A file gets the place of its message, which links to it name."""
    file = event.content.file
    if file is None:
        return event.content
    placed = file.model_copy(update={"journal": draft.conversation.id, "entry": event.entry_id})
    return event.content.model_copy(update={"file": placed})


def _hold(draft: Draft, event: Said) -> None:
    """Keeps the whole message until the customer writes again. It is shown then as their channel
    of that time can.
    """
    known, who = draft.conversation, event.representative
    content = _with_place(draft, event)
    held = _to_customer(draft, draft.next_id(), who, content, about=_about(event))
    draft.emit(held.model_copy(update={"state": State.WAITING}))
    waiting = Waiting(
        journal=known.id,
        entry=event.entry_id,
        command=held.id,
        representative=who,
        since=draft.now,
        gives_up_at=draft.now + draft.policy.reopen_give_up_after,
    )
    draft.change(waiting=(*known.waiting, waiting))
    draft.reason = State.WAITING.value


def say_in_pieces(draft: Draft, whole: SendMessage, name: str) -> None:
    """Sends a message as the channel can show it. `name` is the id of the name before it, where
    that is a message of its own.
    """
    prefix = _prefix(draft, whole.representative)
    content = _as_shown(draft, whole.content, prefix)
    before = _words_before(draft, content, prefix)
    if before:
        alone = Content(text=before)
        draft.send(whole.model_copy(update={"id": name, "content": alone, "about": None}))
    for place, piece in enumerate(_pieces(draft, content, prefix)):
        update = {"id": draft.next_id(), "about": None} if place else {}
        draft.send(whole.model_copy(update={**update, "content": piece}))


def _as_shown(draft: Draft, content: Content, prefix: str) -> Content:
    """Returns a file with the kind as which the channel shows it. Where it shows none, or another
    platform has the file, words and a link stand for it.
    """
    file = content.file
    if file is None:
        return content
    kind = draft.capabilities.shows(file)
    if kind is not None and (file.native_id is None or file.channel == draft.conversation.channel):
        update: dict[str, object] = {"kind": kind, "mime_type": file.type_known}
        return content.model_copy(update={"file": file.model_copy(update=update)})
    is_off = draft.is_off(draft.policy.notices_off)
    named = file.name if is_off else draft.text(Notice.FILE, file=file.name)
    words = prefix + "\n".join(filter(None, (file.alt_text, named)))
    return content.model_copy(update={"file": file.model_copy(update={"instead": words})})


def _words_before(draft: Draft, content: Content, prefix: str) -> str:
    """Returns what is said before a picture, card or file, which has no words to put the name of
    the human before: that name, and the words of a file that the channel shows without any.
    """
    file = content.file
    if content.text is not None or content.template is not None or (file and file.instead):
        return ""
    if file is None or _has_caption(draft, file) or _taps_apart(draft, content):
        return prefix.rstrip()
    return (prefix + (file.alt_text or "")).rstrip()


def _has_caption(draft: Draft, file: File) -> bool:
    return file.kind_known in draft.capabilities.captions


def _taps_apart(draft: Draft, content: Content) -> bool:
    """Returns whether the suggestions of a file are shown below a text of their own."""
    return bool(content.suggestions) and not draft.capabilities.rich_cards


def _file_pieces(draft: Draft, content: Content, file: File, prefix: str) -> list[Content]:
    if file.instead is not None:
        return [content]
    apart = _taps_apart(draft, content)
    words = file.alt_text if _has_caption(draft, file) and not apart else None
    update: dict[str, object] = {"file": file.model_copy(update={"alt_text": words})}
    if not apart:
        return [content.model_copy(update=update)]
    below = Content(text=prefix + (file.alt_text or file.name), suggestions=content.suggestions)
    return [content.model_copy(update={**update, "suggestions": ()}), below]


def _to_customer(
    draft: Draft,
    command: str,
    who: Representative,
    content: Content,
    frame: str | None = None,
    about: str | None = None,
) -> SendMessage:
    return SendMessage(
        id=command,
        to=draft.conversation.address,
        channel=draft.conversation.speaks_on,
        representative=who,
        content=content,
        frame=frame,
        about=about if draft.capabilities.replies else None,
    )


def _prefix(draft: Draft, who: Representative) -> str:
    """Returns the name before a human's words, empty where the channel shows who speaks."""
    labelled = draft.capabilities.labels or draft.is_off(draft.policy.name_prefix_off)
    return (
        ""
        if labelled or who.representative_type is RepresentativeType.BOT
        else draft.text(Notice.PREFIX, who.name)
    )


def _pieces(draft: Draft, content: Content, prefix: str) -> list[Content]:
    """Returns the content in pieces within the channel's limit, each with the prefix. A text
    without a word has none.
    """
    if content.file is not None:
        return _file_pieces(draft, content, content.file, prefix)
    if content.text is None:
        return [content]
    limit = min(draft.capabilities.text_limit, TEXT_LIMIT)
    prefix = shortened(prefix, limit // 2, mark="")
    pieces = split_text(content.text, limit - len(prefix))
    said = [Content(text=prefix + piece) for piece in pieces[:-1]]
    return [*said, *(content.model_copy(update={"text": prefix + piece}) for piece in pieces[-1:])]
