"""What the answers of Slack's Web API mean. A refusal has the status 200 and a code.

https://docs.slack.dev/apis/web-api/#responses
https://docs.slack.dev/apis/web-api/rate-limits
"""

import re
from collections.abc import Mapping
from typing import Any

import pydantic_core

from shared.platforms.base import Outcome, outcome_of_status
from shared.schemas.http import Answer

# "It's possible some aspect of the operation succeeded before the error was raised."
_UNSURE = ("internal_error", "fatal_error", "service_unavailable")
_NOT_TAKEN = ("request_timeout", "team_added_to_org")  # the request came cut, a workspace moves
_TOO_FAST = ("ratelimited", "rate_limited")
_CREDENTIALS = ("invalid_auth", "not_authed", "account_inactive", "token_expired", "token_revoked")
# What an administrator of the workspace may change: a scope, a membership, a rule.
_FORBIDDEN = (
    *("missing_scope", "not_in_channel", "no_permission", "access_denied", "accesslimited"),
    *("ekm_access_denied", "org_login_required", "team_access_not_granted", "restricted_action"),
    *("restricted_action_read_only_channel", "restricted_action_thread_only_channel"),
    *("restricted_action_non_threadable_channel", "restricted_action_thread_locked"),
)
_GONE = ("thread_not_found", "message_not_found", "channel_not_found", "is_archived")
_CODE = re.compile(r"[a-z_]{1,60}")
_SCOPES = re.compile(r"[a-z_:.,]{1,200}")
_UPLOADED = b"OK"  # an upload is answered in plain text


def body_of(answer: Answer | None) -> Mapping[str, Any]:
    """Returns the object of an answer, an empty one if it has none."""
    try:
        body = pydantic_core.from_json(answer.body) if answer else {}
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def outcome_of(answer: Answer) -> Outcome:
    """Returns the meaning of an answer. A code that is not known is a refusal for good."""
    if answer.status == 429:
        return Outcome.PACED
    if answer.status != 200:
        return outcome_of_status(answer.status)
    body = body_of(answer)
    if body.get("ok") is True or answer.body.startswith(_UPLOADED):
        return Outcome.DONE
    code = body.get("error")
    if not isinstance(code, str) or code in _UNSURE:
        return Outcome.TRANSIENT
    return _MEANINGS.get(code, Outcome.PERMANENT)


def is_over(answer: Answer) -> bool:
    """Returns whether the thread or its channel does not exist any more, or takes no messages."""
    return body_of(answer).get("error") in _GONE


def refusal_of(answer: Answer) -> str | None:
    """Returns the code of a refusal, with the scopes that it asks for."""
    body = body_of(answer)
    code, needed = body.get("error"), body.get("needed")
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        return None
    return f"{code} {needed}" if isinstance(needed, str) and _SCOPES.fullmatch(needed) else code


_MEANINGS: Mapping[str, Outcome] = {
    **dict.fromkeys(_NOT_TAKEN, Outcome.NOT_TAKEN),
    **dict.fromkeys(_TOO_FAST, Outcome.PACED),
    **dict.fromkeys(_CREDENTIALS, Outcome.CREDENTIALS),
    **dict.fromkeys(_FORBIDDEN, Outcome.FORBIDDEN),
}
