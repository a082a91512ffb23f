"""What the names in a webhook mean: which conversation is the customer's, and which documents the
answer changes. Pure.

A name leads to a conversation only where both documents say so. Every change of a name writes the
conversation that it leaves, the one that it comes to, and its own document. So an old copy of any
of them fails its token.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from shared.handoff.channels import all_of, without_number
from shared.handoff.same_customer import goes_on, joined, joined_on, part_of
from shared.schemas.conversation import Conversation, Former, Name, Was
from shared.schemas.events import GivenName
from shared.schemas.notation import hidden, platform_of

QUIET = timedelta(days=45)  # the shortest time after which a number is given to another person
MOST_DOCUMENTS = 50  # that one commit may write
_BEFORE = timedelta(seconds=1)


class Missing(Exception):
    """These documents must be read first."""

    def __init__(self, *documents: str) -> None:
        super().__init__(*documents)
        self.documents = documents


@dataclass(slots=True)
class Naming:
    """One answer: what was read, and what it changes.

    `documents` are those that were read, None for one that is not stored. They must be fresh: a
    copy cannot say that a name is free. `at` is the platform's time of the webhook, and `address`
    the one that it tells.

    - `notes` are the conversations that lose a number, with the reason and the conversation on
      which they act.
    - `merges` are the conversations that go on, each with the one that becomes part of it.
    - `refused`: two that are one customer's stay apart, and why.
    """

    documents: Mapping[str, Conversation | None]
    given: Sequence[GivenName]
    at: datetime
    now: datetime
    kept_for: timedelta
    address: str | None = None
    changed: dict[str, Conversation] = field(default_factory=dict)
    notes: list[tuple[str, str, str]] = field(default_factory=list)
    merges: list[tuple[str, str]] = field(default_factory=list)
    refused: tuple[str, str, str] | None = None

    def conversation_of(self, old: Sequence[GivenName] | None = None) -> str:
        """Returns the customer's conversation, which may still have to begin. `old` are the names
        that a change notice says the customer had before.
        """
        user = next((one for one in self.given if one.strong), None)
        number = next((one for one in self.given if not one.strong), None)
        if old is not None:
            return self._after_change(old, user, number)
        if user and number:
            return self._pair(user, number)
        if user:
            return self._holder(user) or self._begin([user])
        if number is None:
            raise ValueError("a webhook without a name")
        return self._holder(number, self.at) or self._begin([number])

    def join(self, one: str, two: str) -> str:
        """Makes one conversation of two that are one customer's, and returns it."""
        return self._merge(one, two)

    def rename(self, name: GivenName, conversation: str, to: str) -> None:
        """Gives a name of one conversation to another one."""
        if name.strong:
            self._unname(conversation, name.id)
        else:
            self._lose_number(conversation, name, "renamed")
        self._name(to, name, Was(conversation=conversation, until=self.at - _BEFORE))

    def keep_names(self, conversation: str) -> None:
        """Writes again the documents of names that were last written more than a life ago, so that
        a name outlives its conversation.
        """
        known = self._get(conversation)
        names = known.names if known else ()
        old = [one for one in names if one.kept and self.now - one.kept > self.kept_for]
        if known is None or not old:
            return
        for one in old:
            if one.id != conversation and self._get(one.id) is not None:
                self._change(one.id)
        kept = tuple(
            one.model_copy(update={"kept": self.now}) if one in old else one for one in names
        )
        self._change(conversation, names=kept)

    def _pair(self, user: GivenName, number: GivenName) -> str:
        known, other = self._holder(user), self._holder(number)
        if other is None:
            free = not self._was_anothers(number.id)
            if known is None:
                return self._begin([user, number] if free else [user])
            if free:
                self._name(known, number)
            return known
        if known == other:
            return other
        if reason := self._is_anothers(other, user.id):
            return self._move(user, number, known, other, reason)
        if known is None:
            self._name(other, user)
            return other
        return self._merge(other, known)

    def _move(
        self, user: GivenName, number: GivenName, known: str | None, other: str, reason: str
    ) -> str:
        """The number is another person's now, if this webhook is the later one."""
        since = self._since(other, number.id)
        if since is not None and self.at <= since:
            return known or self._begin([user])
        self._lose_number(other, number, reason)
        to = known or self._begin([user])
        self._name(to, number, Was(conversation=other, until=self.at - _BEFORE))
        return to

    def _after_change(
        self, old: Sequence[GivenName], user: GivenName | None, number: GivenName | None
    ) -> str:
        old_user = next((one for one in old if one.strong), None)
        old_number = next((one for one in old if not one.strong), None)
        known = self._whose_change(old_user, old_number, user)
        new = self._holder(user) if user else None
        if known and new and known != new:
            known = self._merge(known, new)
        strong = [one for one in (user, old_user) if one]
        to = known or new or self._begin(strong or [one for one in (number,) if one])
        for one in strong:
            if not self._lists(to, one.id):
                self._name(to, one)
        if number and user:
            to = self._pair(user, number)
        elif number:
            to = self._numbered(to, number)
        if old_number and (number is None or old_number.id != number.id):
            self._give_up(to, old_number)
        return to

    def _whose_change(
        self,
        old_user: GivenName | None,
        old_number: GivenName | None,
        user: GivenName | None,
    ) -> str | None:
        known = self._holder(old_user) if old_user else None
        if known or old_number is None:
            return known
        found = self._holder(old_number, self.at)
        if found is None or old_user is None:
            return found
        theirs = {old_user.id, user.id if user else old_user.id}
        return None if self._is_anothers(found, *theirs) else found

    def _numbered(self, to: str, number: GivenName) -> str:
        """Gives the new number to a customer whose user id the notice does not tell."""
        other = self._holder(number)
        if other is None:
            self._name(to, number)
        elif other != to:
            reason = self._is_anothers(other, *(one.id for one in self._names(to) if one.strong))
            if reason is None:
                return self._merge(other, to)
            if (self._since(other, number.id) or self.at - _BEFORE) < self.at:
                self._lose_number(other, number, reason)
                self._name(to, number, Was(conversation=other, until=self.at - _BEFORE))
        return to

    def _give_up(self, conversation: str, number: GivenName) -> None:
        was = Was(conversation=conversation, until=self.at)
        since = self._since(conversation, number.id)
        if self._lists(conversation, number.id):
            if since is None or since <= self.at:
                self._unname(conversation, number.id)
                self._change(number.id, was=was, whose=None)
        elif self._holder(number) is None:
            self._change(number.id, was=was)

    # whose a name is

    def _holder(self, name: GivenName, at: datetime | None = None) -> str | None:
        """Returns the conversation of whoever has this name; with `at`, of whoever had it then."""
        found = self._holder_of(name.id, at)
        if found is not None or name.other is None:
            return found
        before = self._holder_of(name.other, at)
        if before is not None:  # it began under the other form of the number
            since = self._since(before, name.other)
            self._name(before, name, since=since)
        return before

    def _holder_of(self, name: str, at: datetime | None) -> str | None:
        document = self._get(name)
        if document is None:
            return None
        if at is not None and document.was and at <= document.was.until:
            return self._led(document.was.conversation)
        to = document.whose or name
        if self._lists(to, name):
            return to
        return None  # a conversation that has expired leaves its names free

    def _led(self, conversation: str) -> str | None:
        """Returns where an id of a conversation leads: to itself, or to what it became part of."""
        document = self._get(conversation)
        if document is None:
            return None
        to = document.leads_to
        if to is None:
            return conversation
        return to if self._get(to) is not None else None

    def _lists(self, conversation: str, name: str) -> bool:
        document = self._get(conversation)
        return document is not None and document.is_called(name)

    def _names(self, conversation: str) -> tuple[Name, ...]:
        document = self._get(conversation)
        return document.names if document else ()

    def _since(self, conversation: str, name: str) -> datetime | None:
        return next((one.since for one in self._names(conversation) if one.id == name), None)

    def _was_anothers(self, number: str) -> bool:
        document = self._get(number)
        return bool(document and document.was and self.at <= document.was.until)

    def _is_anothers(self, conversation: str, *users: str) -> str | None:
        """Returns why a number does not show that the conversation is this customer's."""
        if any(one.strong and one.id not in users for one in self._names(conversation)):
            return "number-moved"
        return "number-quiet" if self._is_quiet(conversation) else None

    def _is_quiet(self, conversation: str) -> bool:
        """Returns whether a customer known by a bare number has not written for so long that the
        number may be another person's.
        """
        document = self._get(conversation)
        if document is None or any(one.strong for one in document.names):
            return False
        acting = self._get(document.linked_to) if document.linked_to else document
        said = [one.since for one in document.names if one.since]
        if acting is not None:
            acts = (acting.last_user_at, *(one.last_user_at for one in acting.elsewhere))
            said += [one for one in acts if one]
        return bool(said) and self.at - max(said) > min(QUIET, self.kept_for)

    # what changes

    def _begin(self, names: Sequence[GivenName]) -> str:
        home = self._house(names[0].id)
        self._change(home)
        for one in names:
            self._name(home, one)
        return home

    def _house(self, name: str) -> str:
        """Returns a document in which a conversation may begin: the name's own, unless another
        customer's conversation lives there.
        """
        documents = (
            name if n == 1 else f"{platform_of(name)}:{hidden(f'{name}#{n}')}" for n in count(1)
        )
        return next(one for one in documents if self._is_free(one))

    def _is_free(self, document: str) -> bool:
        known = self._get(document)
        return known is None or known.is_only_a_name

    def _name(
        self,
        conversation: str,
        given: GivenName,
        was: Was | None = None,
        since: datetime | None = None,
    ) -> None:
        """Notes in both documents that the conversation is called so."""
        others = (one for one in self._all_names(conversation) if one.id != given.id)
        new = Name(id=given.id, strong=given.strong, since=since or self.at, kept=self.now)
        self._change(conversation, names=(*others, new))
        document = self._get(given.id)
        before = was or (document.was if document else None)
        whose = None if given.id == conversation else conversation
        if whose is not None or (document is not None and document.whose is not None) or was:
            self._change(given.id, whose=whose, was=before)

    def _all_names(self, conversation: str) -> tuple[Name, ...]:
        """Returns the names also of a document of an older version, known by its own."""
        known = self._names(conversation)
        if known or not self._lists(conversation, conversation):
            return known
        strong = next((one.strong for one in self.given if one.id == conversation), False)
        return (Name(id=conversation, strong=strong),)

    def _lose_number(self, conversation: str, number: GivenName, reason: str) -> None:
        """What is sent to the number from now on reaches another person."""
        self._unname(conversation, number.id)
        document = self._get(conversation) or Conversation(id=conversation, address="")
        acting = self._primary(document) or document
        channel = next((one for one in all_of(acting) if one.id == conversation), None)
        is_last = all(name.strong for name in document.names)
        if channel is not None and (is_last or channel.address == self.address):
            self._put(without_number(acting, conversation))
        self.notes.append((conversation, reason, acting.id))

    def _unname(self, conversation: str, name: str) -> None:
        self._change(
            conversation,
            names=tuple(one for one in self._names(conversation) if one.id != name),
        )

    def _merge(self, one: str, two: str) -> str:
        """Makes one conversation of two."""
        documents = {id: self._get(id) or Conversation(id=id, address="") for id in (one, two)}
        keep, lose = goes_on(documents[one], documents[two])
        if lose.linked_to is not None:
            keep, lose = lose, keep
        if lose.linked_to is not None or (keep.linked_to is not None and lose.elsewhere):
            # both belong to channels that an operator joined to others
            self.refused = (keep.id, lose.id, "already-linked")
            return two
        moved = [*keep.names, *lose.names, *keep.formerly, *lose.formerly]
        if len(moved) + len(lose.links) + len(keep.links) > MOST_DOCUMENTS:
            self.refused = (keep.id, lose.id, "too-many-links")
            return two
        names = {name.id: name for name in self._all_names(keep.id)}
        lost = self._all_names(lose.id)
        for name in lost:
            known = names.get(name.id)
            if known is None or (name.since and (not known.since or name.since > known.since)):
                names[name.id] = name
        formers = (*keep.formerly, Former(id=lose.id, since=self.now), *lose.formerly)
        lines = dict.fromkeys((*keep.waits_for, *lose.waits_for, lose.id))
        primary = self._primary(keep)
        whole = (
            joined(keep, lose, self.now)
            if primary is None
            else joined_on(primary, keep.id, lose, self.now)
        )
        if primary is not None:  # the names lead to the channel, and it to the customer
            self._change(keep.id, names=tuple(names.values()))
        else:
            whole = whole.model_copy(update={"names": tuple(names.values())})
        formers = (*(one for one in whole.formerly if one not in formers), *formers)
        self._put(whole.model_copy(update={"formerly": formers, "waits_for": tuple(lines)}))
        self._put(part_of(lose, keep.id))
        for name in lost:
            self._change(name.id, whose=None if name.id == keep.id else keep.id)
        for former in lose.formerly:
            self._change(former.id, same_as=keep.id)
        for link in lose.links:
            if (document := self._get(link)) is not None and document.linked_to == lose.id:
                self._change(link, linked_to=whole.id)
        self.merges.append((whole.id, lose.id))
        return keep.id

    def _primary(self, channel: Conversation) -> Conversation | None:
        """Returns the conversation that holds the customer of several channels, if this is one of
        them.
        """
        found = self._get(channel.linked_to) if channel.linked_to else None
        return found if found is not None and channel.id in found.links else None

    def _get(self, document: str) -> Conversation | None:
        if document in self.changed:
            return self.changed[document]
        if document not in self.documents:
            raise Missing(document)
        return self.documents[document]

    def _change(self, document: str, **update: object) -> None:
        known = self._get(document) or Conversation(id=document, address="")
        self._put(known.model_copy(update=update))

    def _put(self, conversation: Conversation) -> None:
        self.changed[conversation.id] = conversation
