"""Google's accounts: real keys and certificates, a server that publishes these, and ID tokens."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import jwt
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

CLIENT = "123-abc.apps.googleusercontent.com"
JANE = {"email": "jane@example.com", "email_verified": True, "hd": "example.com", "sub": "1"}


@cache
def key(name: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate(name: str) -> str:
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    built = x509.CertificateBuilder(
        issuer_name=subject,
        subject_name=subject,
        public_key=key(name).public_key(),
        serial_number=1,
        not_valid_before=now - timedelta(days=1),
        not_valid_after=now + timedelta(days=1),
    ).sign(key(name), hashes.SHA256())
    return built.public_bytes(serialization.Encoding.PEM).decode()


def id_token(signed_by: str = "k1", headers: dict[str, Any] | None = None, **claims: object) -> str:
    """Returns a token as Sign in with Google makes it. A claim of None is left out."""
    now = int(time.time())
    times = {"iat": now, "nbf": now, "exp": now + 3600}
    all_claims = {"iss": "https://accounts.google.com", "aud": CLIENT, **times, **JANE, **claims}
    given = {name: value for name, value in all_claims.items() if value is not None}
    return jwt.encode(given, key(signed_by), "RS256", {"kid": signed_by, **(headers or {})})


@dataclass
class GoogleAccounts:
    """`published` are the names of the keys whose certificates are published now."""

    published: tuple[str, ...] = ("k1",)
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200
    asked: int = 0
    url: str = ""

    async def certificates(self, request: web.Request) -> web.Response:
        self.asked += 1
        found = {name: certificate(name) for name in self.published}
        return web.json_response(found, status=self.status, headers=self.headers)


@asynccontextmanager
async def google_accounts() -> AsyncIterator[GoogleAccounts]:
    google, app = GoogleAccounts(), web.Application()
    app.router.add_get("/certs", google.certificates)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    google.url = f"http://127.0.0.1:{runner.addresses[0][1]}/certs"
    yield google
    await runner.cleanup()
