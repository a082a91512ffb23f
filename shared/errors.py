"""The tree of errors that Baton raises on purpose. `shared/edge` maps them to HTTP answers.

BatonError
├── BadRequest         400 INVALID_ARGUMENT     the body or path is wrong; do not repeat it
├── Unsupported        400 FAILED_PRECONDITION  the customer's channel does not support this
├── Unauthenticated    401 UNAUTHENTICATED      no key, a wrong key, a wrong signature
├── Forbidden          403 PERMISSION_DENIED    the key has no right to do this
├── NotFound           404 NOT_FOUND            no such path, platform or conversation
├── MethodNotAllowed   405 UNIMPLEMENTED        the path is right, the method is not
├── AlreadyExists      409 ALREADY_EXISTS       this id was accepted before
├── Refused            409 FAILED_PRECONDITION  the state forbids it; the id stays free
├── Gone               410 NOT_FOUND            it was there and is no longer
├── TooSlow            408 DEADLINE_EXCEEDED    the body did not arrive in time
├── TooLarge           413 INVALID_ARGUMENT     the body is over the limit
├── WrongType          415 INVALID_ARGUMENT     the channel does not take files of this type
├── OutOfRange         416 OUT_OF_RANGE         the file has no such part
├── TooMany            429 RESOURCE_EXHAUSTED   too many commands are pending; retry later
└── Unavailable        503 UNAVAILABLE          nothing was lost; retry
    ├── TooLate            504 DEADLINE_EXCEEDED    a platform has not answered in time
    ├── Unreadable         a stored document is of a newer version, or damaged
    ├── Contended          too many writers at once
    ├── TooBusy            the bodies that this process holds are at their limit
    ├── DoorClosed         a secret that this function needs is not set
    ├── Misconfigured      the settings are invalid; the log names each of them
    └── NotYet             a delivery failed for now; the wake-up must be redelivered
"""

from collections.abc import Mapping


class BatonError(Exception):
    """An error that carries its HTTP answer.

    `code` is the HTTP status, `status` the gRPC status, `reason` a stable slug, and `metadata`
    further values for programs.
    """

    code = 500
    status = "INTERNAL"

    def __init__(self, reason: str, message: str, **metadata: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.metadata: Mapping[str, str] = metadata

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later without a change."""
        return self.code in (429, 503, 504)


class BadRequest(BatonError):
    code, status = 400, "INVALID_ARGUMENT"


class Unsupported(BatonError):
    code, status = 400, "FAILED_PRECONDITION"


class Unauthenticated(BatonError):
    code, status = 401, "UNAUTHENTICATED"

    def __init__(self) -> None:
        """The message never says what was wrong, so that it does not help a forger."""
        super().__init__(
            "unauthenticated", "The credentials or the signature of this request were not accepted."
        )


class UnknownKey(Unauthenticated):
    """The request names a key that is not among those that are known of the platform."""


class Forbidden(BatonError):
    code, status = 403, "PERMISSION_DENIED"


class NotFound(BatonError):
    code, status = 404, "NOT_FOUND"


class MethodNotAllowed(BatonError):
    code, status = 405, "UNIMPLEMENTED"

    def __init__(self, allowed: str) -> None:
        super().__init__("method-not-allowed", f"Use {allowed} here.", allowed=allowed)


class AlreadyExists(BatonError):
    code, status = 409, "ALREADY_EXISTS"


class Refused(BatonError):
    code, status = 409, "FAILED_PRECONDITION"


class Gone(BatonError):
    code, status = 410, "NOT_FOUND"


class TooSlow(BatonError):
    code, status = 408, "DEADLINE_EXCEEDED"


class TooLarge(BatonError):
    code, status = 413, "INVALID_ARGUMENT"


class WrongType(BatonError):
    code, status = 415, "INVALID_ARGUMENT"


class OutOfRange(BatonError):
    code, status = 416, "OUT_OF_RANGE"


class TooMany(BatonError):
    code, status = 429, "RESOURCE_EXHAUSTED"


class Unavailable(BatonError):
    code, status = 503, "UNAVAILABLE"


class TooLate(Unavailable):
    """A platform has not answered in time."""

    code, status = 504, "DEADLINE_EXCEEDED"


class Unreadable(Unavailable):
    """A stored document that this version cannot read. The event comes again, to a newer one."""

    def __init__(self) -> None:
        super().__init__(
            "unreadable-document",
            "A newer version of Baton wrote this, or it is damaged; deploy all functions of one"
            " version.",
        )


class Contended(Unavailable):
    def __init__(self) -> None:
        super().__init__(
            "contended", "Too many writers at once on this conversation; send it again."
        )


class Paced(Unavailable):
    """A rate limit of the target allows the call only in `seconds`. It was not made."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            "too-many-calls",
            "Too many calls wait for this platform's rate limit.",
        )
        self.seconds = seconds


class TooBusy(Unavailable):
    def __init__(self) -> None:
        super().__init__(
            "too-busy", "Too many large requests at once; send it again.", retry_after="1"
        )


class DoorClosed(Unavailable):
    def __init__(self, setting: str) -> None:
        super().__init__(
            "door-closed", f"This door is closed until {setting} is set.", setting=setting
        )


class Misconfigured(Unavailable):
    def __init__(self, faults: str = "") -> None:
        """`faults` is for the log of the process; no answer contains it."""
        super().__init__(
            "misconfigured", "The settings of this deployment are invalid; its log names them."
        )
        self.faults = faults


class NotYet(Unavailable):
    def __init__(self, conversation: str) -> None:
        super().__init__(
            "delivery-failed-for-now",
            "A delivery failed temporarily; it will be tried again.",
            conversation=conversation,
        )
