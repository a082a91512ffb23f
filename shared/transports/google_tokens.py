"""Access tokens of Google's credentials."""

import asyncio
from typing import Any

from shared.errors import Unavailable


class GoogleTokens:
    """Access tokens, one for each scope. The credentials refresh themselves shortly before they
    expire.
    """

    def __init__(self) -> None:
        self._credentials: dict[str, Any] = {}

    async def of(self, scope: str) -> str:
        """Returns an access token. Raises Unavailable without credentials."""
        return await asyncio.to_thread(self._token, scope)

    async def authorization(self, auth: str) -> dict[str, str]:
        """Returns the header for the `auth` of a call. Raises Unavailable without credentials."""
        kind, _, value = auth.partition(":")
        if kind == "bearer":
            return {"authorization": f"Bearer {value}"}
        if kind == "google":
            return {"authorization": f"Bearer {await self.of(value)}"}
        return {}

    def forget(self, scope: str) -> None:
        """Makes the next call get new credentials: the token may have been revoked."""
        self._credentials.pop(scope, None)

    def _token(self, scope: str) -> str:
        import google.auth
        import google.auth.exceptions
        import google.auth.transport.requests

        try:
            if scope not in self._credentials:
                self._credentials[scope], _ = google.auth.default(scopes=[scope])
            credentials = self._credentials[scope]
            if not credentials.valid:
                credentials.refresh(google.auth.transport.requests.Request())
            return str(credentials.token)
        except google.auth.exceptions.GoogleAuthError as error:
            raise Unavailable(
                "no-google-credentials", "Google credentials are missing or were refused."
            ) from error
