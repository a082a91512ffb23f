"""`python -m infra.dead_letters list|show|replay`: lists, prints and replays messages that a topic
could not deliver.

Replaying is safe: every consumer recognises what it has processed already. `list` prints no
content; `show` does.
"""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from google.api_core.exceptions import (
    DeadlineExceeded,
    GoogleAPICallError,
    GoogleAPIError,
    NotFound,
)
from google.auth.exceptions import GoogleAuthError
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.types import PubsubMessage, ReceivedMessage

from infra.command import run_tool
from infra.deployables import PREFIX, consumed_topics, dead_letters_of, renamed

SECONDS, QUIET_SECONDS = 10.0, 3.0
PAGE = 100
SOURCE_ATTRIBUTES = "CloudPubSubDeadLetterSource"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    topic: str
    received: ReceivedMessage

    @property
    def id(self) -> str:
        return str(self.received.message.message_id)

    @property
    def summary(self) -> str:
        message = self.received.message
        attempts = message.attributes.get(f"{SOURCE_ATTRIBUTES}DeliveryCount", "?")
        when = message.publish_time.isoformat(timespec="seconds")
        return (
            f"{self.topic:<22} {self.id:<20} {when}  {attempts:>3} "
            f"deliveries  {message.ordering_key}"
        )


class DeadLetters:
    """The dead-letter subscriptions of one Baton."""

    def __init__(self, project: str, prefix: str) -> None:
        self._project, self._prefix = project, prefix
        self._subscriber = SubscriberClient()
        self._publisher = PublisherClient()

    def of(self, names: Iterable[str]) -> Iterator[DeadLetter]:
        """Yields the messages in the dead-letter subscriptions of these topics. They are held until
        `release` or `replay`.
        """
        for topic in names:
            while found := self._pull(topic):
                yield from (DeadLetter(topic, received) for received in found)

    def replay(self, letter: DeadLetter) -> None:
        """Publishes the message to its original topic again. Acknowledges the dead letter only
        after that.
        """
        message = letter.received.message
        kept = {k: v for k, v in message.attributes.items() if not k.startswith(SOURCE_ATTRIBUTES)}
        again = PubsubMessage(data=message.data, attributes=kept, ordering_key=message.ordering_key)
        target = f"projects/{self._project}/topics/{renamed(letter.topic, self._prefix)}"
        self._publisher.publish(topic=target, messages=[again], timeout=SECONDS)
        request = {
            "subscription": self._subscription(letter.topic),
            "ack_ids": [letter.received.ack_id],
        }
        self._subscriber.acknowledge(request=request, timeout=SECONDS)

    def release(self, letters: Iterable[DeadLetter]) -> None:
        """Makes the held messages available again."""
        for letter in letters:
            request = {
                "subscription": self._subscription(letter.topic),
                "ack_ids": [letter.received.ack_id],
                "ack_deadline_seconds": 0,
            }
            self._subscriber.modify_ack_deadline(request=request, timeout=SECONDS)

    def _pull(self, topic: str) -> list[ReceivedMessage]:
        """Returns messages, none once none arrives for a while: a pull waits for the first
        message.
        """
        request = {"subscription": self._subscription(topic), "max_messages": PAGE}
        try:
            return list(
                self._subscriber.pull(
                    request=request, retry=None, timeout=QUIET_SECONDS
                ).received_messages
            )
        except DeadlineExceeded:
            return []

    def _subscription(self, topic: str) -> str:
        name = renamed(dead_letters_of(topic), self._prefix)
        return f"projects/{self._project}/subscriptions/{name}"


def run(arguments: argparse.Namespace) -> int:
    """Returns the exit code: 1 where a message that was named does not exist."""
    letters = DeadLetters(arguments.project, arguments.prefix)
    chosen: list[DeadLetter] = []
    others: list[DeadLetter] = []
    for letter in letters.of(arguments.topic or consumed_topics()):
        wanted = arguments.all or arguments.command == "list" or letter.id in arguments.id
        (chosen if wanted else others).append(letter)
    for letter in chosen:
        _do(arguments.command, letters, letter)
    letters.release([*others, *([] if arguments.command == "replay" else chosen)])
    missing = set(arguments.id) - {letter.id for letter in chosen}
    print(f"{len(chosen)} {'replayed' if arguments.command == 'replay' else 'found'}.")
    for one in sorted(missing):
        print(
            f"There is no dead letter {one}; another reader may hold it for some seconds.",
            file=sys.stderr,
        )
    return 1 if missing else 0


def _do(command: str, letters: DeadLetters, letter: DeadLetter) -> None:
    if command == "replay":
        letters.replay(letter)
    print(letter.summary)
    if command == "show":
        print(bytes(letter.received.message.data).decode(errors="replace"))


def _arguments(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m infra.dead_letters",
        description="List, show or replay what Pub/Sub gave up delivering.",
    )
    parser.add_argument("command", choices=["list", "show", "replay"])
    parser.add_argument("id", nargs="*", help="message ids (show, replay)")
    parser.add_argument("--all", action="store_true", help="every dead letter")
    parser.add_argument(
        "--topic",
        action="append",
        choices=consumed_topics(),
        help="only this topic's (default: all)",
    )
    parser.add_argument(
        "--project",
        default=os.environ.get("GOOGLE_CLOUD_PROJECT"),
        help="default: the environment's",
    )
    parser.add_argument(
        "--prefix",
        default=os.environ.get("BATON_PREFIX", PREFIX),
        help="what the names of its topics begin with (default: the environment's, or baton)",
    )
    arguments = parser.parse_args(given)
    if not arguments.project:
        parser.error("name the project: --project, or GOOGLE_CLOUD_PROJECT")
    if arguments.command != "list" and not arguments.id and not arguments.all:
        parser.error(f"say which to {arguments.command}: message ids, or --all")
    return arguments


def main(given: list[str] | None = None) -> int:
    arguments = _arguments(given)
    try:
        return run(arguments)
    except NotFound as error:
        print(
            f"Not found: {error.message}. Are topics and subscriptions deployed in this project?",
            file=sys.stderr,
        )
    except GoogleAuthError:
        print("No credentials. Log in: gcloud auth application-default login", file=sys.stderr)
    except GoogleAPICallError as error:
        print(f"Pub/Sub answered: {error.message}", file=sys.stderr)
    except GoogleAPIError as error:
        print(f"Pub/Sub could not be asked: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    run_tool(main)
