"""Google's own client library for Business Messages talks to Baton: only the base URL and the key
are ours.

https://pypi.org/project/google-businessmessages/
"""

from collections.abc import Iterator
from typing import Any

import httplib2
import pytest
from apitools.base.py.exceptions import HttpError
from businessmessages import businessmessages_v1_client as client
from businessmessages import businessmessages_v1_messages as messages

from infra.local.talk import Talk

BOT = messages.BusinessMessagesRepresentative(
    representativeType=messages.BusinessMessagesRepresentative.RepresentativeTypeValueValuesEnum.BOT,
    displayName="Bot",
)
JANE = messages.BusinessMessagesRepresentative(
    representativeType=messages.BusinessMessagesRepresentative.RepresentativeTypeValueValuesEnum.HUMAN,
    displayName="Jane Doe",
)
EVENTS = messages.BusinessMessagesEvent.EventTypeValueValuesEnum


class Keyed(httplib2.Http):
    """Sends Baton's key where Google's would be."""

    def request(
        self, uri: str, method: str = "GET", body: Any = None, headers: Any = None, **more: Any
    ) -> Any:
        return super().request(
            uri, method, body, {**(headers or {}), "authorization": "Bearer dev-admin"}, **more
        )


@pytest.fixture
def google(talk: Talk) -> Iterator[Any]:
    url, http = f"{talk.server.url}/send_representative/", Keyed()
    yield client.BusinessmessagesV1(url=url, http=http, get_credentials=False)
    http.close()


def _message(talk: Talk, **content: Any) -> Any:
    return messages.BusinessmessagesConversationsMessagesCreateRequest(
        parent=f"conversations/{talk.id}",
        businessMessagesMessage=messages.BusinessMessagesMessage(**content),
    )


def _event(talk: Talk, event_id: str, kind: Any, who: Any) -> Any:
    event = messages.BusinessMessagesEvent(eventType=kind, representative=who)
    return messages.BusinessmessagesConversationsEventsCreateRequest(
        parent=f"conversations/{talk.id}", eventId=event_id, businessMessagesEvent=event
    )


def test_a_message_is_sent_and_answered_as_the_client_expects(talk: Talk, google: Any) -> None:
    suggestion = messages.BusinessMessagesSuggestion(
        liveAgentRequest=messages.BusinessMessagesLiveAgentRequest()
    )
    answer = google.conversations_messages.Create(
        _message(
            talk,
            messageId="1",
            text="Hello",
            representative=BOT,
            suggestions=[suggestion],
            fallback="Hello",
        )
    )
    assert isinstance(answer, messages.BusinessMessagesMessage)
    assert (answer.name, answer.text) == (f"conversations/{talk.id}/messages/1", "Hello")
    assert answer.representative == BOT
    assert not answer.all_unrecognized_fields()
    assert talk.seen() == ["BOT Bot: Hello"]


def test_every_event_is_taken(talk: Talk, google: Any) -> None:
    for place, (kind, who) in enumerate(
        [
            (EVENTS.TYPING_STARTED, BOT),
            (EVENTS.TYPING_STOPPED, BOT),
            (EVENTS.REPRESENTATIVE_JOINED, BOT),
            (EVENTS.REPRESENTATIVE_LEFT, BOT),
            (EVENTS.REPRESENTATIVE_JOINED, JANE),
            (EVENTS.REPRESENTATIVE_LEFT, JANE),
        ]
    ):
        answer = google.conversations_events.Create(_event(talk, f"e-{place}", kind, who))
        assert (answer.name, answer.eventType) == (
            f"conversations/{talk.id}/events/e-{place}",
            kind,
        )
        assert not answer.all_unrecognized_fields()
    assert talk.seen() == ["JOINED Jane Doe", "LEFT Jane Doe"]


def test_a_receipt_is_answered_by_its_name(talk: Talk, google: Any) -> None:
    read = messages.BusinessMessagesReceipt.ReceiptTypeValueValuesEnum.READ
    name = f"conversations/{talk.id}/messages/m-1/receipt"
    answer = google.conversations_messages.UpdateReceipt(
        messages.BusinessMessagesReceipt(name=name, receiptType=read)
    )
    assert (answer.name, answer.receiptType) == (name, read)
    assert not answer.all_unrecognized_fields()


def test_a_survey_is_answered_by_its_name(talk: Talk, google: Any) -> None:
    answer = google.conversations_surveys.Create(
        messages.BusinessmessagesConversationsSurveysCreateRequest(
            parent=f"conversations/{talk.id}",
            surveyId="s-1",
            businessMessagesSurvey=messages.BusinessMessagesSurvey(),
        )
    )
    assert answer.name == f"conversations/{talk.id}/surveys/s-1"
    assert not answer.all_unrecognized_fields()


def test_what_is_refused_is_an_error_of_the_client(talk: Talk, google: Any) -> None:
    with pytest.raises(HttpError) as refused:
        google.conversations_messages.Create(
            _message(talk, messageId="1", text="Hi", representative=JANE)
        )
    assert refused.value.status_code == 409
    assert "FAILED_PRECONDITION" in refused.value.content.decode()
