"""One conversation decided event after event, and what its customer and the team get of it."""

from datetime import UTC, datetime
from typing import Any

from infra.local.oracle import as_labelled
from shared.handoff.machine import Decision, decide
from shared.handoff.policy import Policy
from shared.platforms.base import Ended
from shared.schemas import events, own_events
from shared.schemas.base import JsonObject
from shared.schemas.commands import Command, Publish, SendEvent, SendMessage
from shared.schemas.content import Content
from shared.schemas.conversation import Capabilities, Conversation, Phase
from shared.schemas.representative import Representative, RepresentativeType

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CHANNEL, DESK = "plain:p0", "csku:d0"
PLAIN = Capabilities(frames=False, labels=False, window_hours=24)
BOT = Representative(representative_type=RepresentativeType.BOT, display_name="Bot")


def human(name: str | None = "Jane") -> Representative:
    return Representative(representative_type=RepresentativeType.HUMAN, display_name=name)


class Talk:
    """One conversation, event after event, with all that it made Baton do."""

    def __init__(self, locale: str | None = None, platform: str = "plain", **policy: Any) -> None:
        self.policy = Policy(**{"capabilities": {"plain": PLAIN}, **policy})
        self.now, self.count, self.locale = NOW, 0, locale
        self.conversation = Conversation(id=CHANNEL.replace("plain", platform), address="p0")
        self.done: list[Command] = []
        self.words: dict[str, str | None] = {}  # of the event by which a command was made

    def take(self, event: events.Event) -> Decision:
        decision = decide(self.conversation, event, self.now, self.policy)
        self.conversation = decision.conversation
        self.done += decision.commands
        self.words |= {command.id: event.text for command in decision.commands}
        return decision

    def common(self, **more: Any) -> dict[str, Any]:
        self.count += 1
        return {"id": f"e{self.count}", "source": self.conversation.id, "actor": "test", **more}

    def user(self, text: str = "hi", **more: Any) -> Decision:
        form: JsonObject = {"message": {"text": text}}
        return self.take(
            events.UserMessage(**self.common(**more), form=form, said=text, locale=self.locale)
        )

    def joins(self, name: str | None = "Jane", **more: Any) -> Decision:
        return self.take(events.HumanJoined(**self.common(**more), representative=human(name)))

    def leaves(self, name: str | None = "Jane", **more: Any) -> Decision:
        return self.take(events.HumanLeft(**self.common(**more), representative=human(name)))

    def says(self, text: str, name: str | None = "Jane", **more: Any) -> Decision:
        said = {"representative": human(name), "content": Content.model_construct(text=text)}
        return self.take(events.HumanMessage.model_construct(**{**self.common(), **said, **more}))

    def bot(self, text: str = "beep", **more: Any) -> Decision:
        return self.take(
            events.BotMessage(**self.common(**more), representative=BOT, content=Content(text=text))
        )

    def idle(self) -> Decision:
        timer = self.conversation.timer
        assert timer is not None
        return self.take(own_events.HumanIdleTimeout(**self.common(), armed=timer.armed, n=timer.n))

    def timeout(self) -> Decision:
        timer = self.conversation.timer
        assert timer is not None
        return self.take(own_events.UnclaimedTimeout(**self.common(), armed=timer.armed, n=timer.n))

    def fails(self, **more: Any) -> Decision:
        return self.take(events.HandoffFailed(**self.common(**more), reason="closed"))

    def ends(self, chat: str) -> Decision:
        return self.take(Ended(**self.common(source=chat), reason="over"))

    def wants_human(self, **more: Any) -> Decision:
        return self.take(events.HumanRequested(**self.common(**more), reason="asked"))

    def opened(self, chat: str = "ccai:chat-1", handoff: str | None = None) -> Decision:
        """Links a chat, made for the handoff under way unless another is named."""
        called = self.conversation.called
        links = tuple(dict.fromkeys((*self.conversation.links, chat)))
        self.conversation = self.conversation.model_copy(update={"links": links})
        about = handoff or (called.handoff if called else "over")
        return self.take(own_events.ChatOpened(**self.common(), chat=chat, handoff=about))

    def created(self, chat: str) -> Decision:
        """The desk says that it made a chat for this customer, whom it knows under a name that
        is linked.
        """
        user = "ccai:user-baton-1"
        links = tuple(dict.fromkeys((*self.conversation.links, user)))
        self.conversation = self.conversation.model_copy(update={"links": links})
        return self.take(events.ChatCreated(**self.common(source=user), chat=chat))

    def nobody_comes(self) -> Decision:
        timer = self.conversation.timer
        assert timer is not None
        return self.take(own_events.ChatIdleTimeout(**self.common(), armed=timer.armed, n=timer.n))

    def desk_wants_human(self) -> Decision:
        return self.wants_human(source=DESK)

    @property
    def phase(self) -> Phase:
        return self.conversation.phase

    @property
    def shown(self) -> list[str]:
        """Returns the texts that the customer gets, as the channel has no other form."""
        return [text for text in map(_text, self.done) if text is not None]

    @property
    def told(self) -> list[tuple[object, object]]:
        """Returns the team's notifications, with the reason."""
        published = [
            one for one in self.done if isinstance(one, Publish) and one.topic == "baton-handoffs"
        ]
        return [(one.body["type"], one.body["reason"]) for one in published]

    def labelled(self, *names: str) -> list[Any]:
        rows = enumerate(self.shown)
        return as_labelled(
            [
                {
                    "seq": n,
                    "id": str(n),
                    "side": "business",
                    "kind": "message",
                    "body": {"text": one},
                }
                for n, one in rows
            ],
            names,
        )


def _text(command: Command) -> str | None:
    if isinstance(command, SendEvent):
        assert command.notice, "this channel has no such event"
        return command.text
    return command.content.summary if isinstance(command, SendMessage) else None
