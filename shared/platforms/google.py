"""What Google's messaging services, Business Messages and RCS for Business, have in common.

https://developers.google.com/business-communications/rcs-business-messaging/guides/integrate/webhooks
"""

from collections.abc import Iterable, Sequence

from shared.errors import BadRequest
from shared.platforms.base import USUAL_BODY, Outcome, error_status, outcome_of_status
from shared.platforms.bodies import parse_object, require
from shared.schemas.http import Answer, Request, Response

PROOF_LIMIT = 4096  # bytes of a handshake


def body_limit(request: Request, keys: Sequence[str]) -> int:
    """Returns how many bytes of the body may be read: without a signature or a key, at most
    those of a handshake.
    """
    if keys and "x-goog-signature" in request.headers:
        return USUAL_BODY
    return PROOF_LIMIT if request.declared <= PROOF_LIMIT else 0


def answer_to_proof(request: Request, tokens: Iterable[str], setting: str) -> Response | None:
    """Returns the secret as plain text if Google verifies the webhook's owner, None for any other
    request.

    The request is not signed, so its token must match. Raises Unauthenticated, and DoorClosed with
    `setting` if there is no token.
    """
    proof = _proof(request)
    if proof is None:
        return None
    token, secret = proof
    require(token, tokens, setting)
    return Response(body=secret.encode(), content_type="text/plain")


def _proof(request: Request) -> tuple[str, str] | None:
    if len(request.body) > PROOF_LIMIT:  # unauthenticated, so little is parsed
        return None
    try:
        body = parse_object(request.body)
    except BadRequest:
        return None
    token, secret = body.get("clientToken"), body.get("secret")
    if isinstance(token, str) and isinstance(secret, str) and "conversationId" not in body:
        return token, secret
    return None


def outcome_of(answer: Answer) -> Outcome:
    """Returns the meaning of an answer.

    ALREADY_EXISTS means that an earlier attempt has sent the message; ABORTED asks for a retry.
    """
    status = error_status(answer) if answer.status == 409 else None
    if status == "ALREADY_EXISTS":
        return Outcome.DONE
    return Outcome.TRANSIENT if status == "ABORTED" else outcome_of_status(answer.status)
