"""How Business Messages signs what it sends. Programs that only send it need no simulator."""

import base64
import hmac


def signature(key: str, body: bytes) -> str:
    """Returns the value of X-Goog-Signature for a webhook.

    https://developers.google.com/business-communications/business-messages/guides/how-to/message/receive
    """
    return base64.b64encode(hmac.digest(key.encode(), body, "sha512")).decode()
