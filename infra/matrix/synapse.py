"""A homeserver on this machine: Synapse on SQLite, for the loopback interface only, which talks to
no other server.
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.local.server import Reply, Running, free_port
from infra.local.settings import MATRIX_SERVER_NAME
from shared.errors import Unavailable

START_SECONDS = 120.0
STOP_SECONDS = 30.0
PLENTY = {"per_second": 1000, "burst_count": 1000}
# Limits by which real servers slow down people whom they do not know.
LIMITS: Mapping[str, Any] = {
    "rc_message": PLENTY,
    "rc_registration": PLENTY,
    "rc_login": dict.fromkeys(("address", "account", "failed_attempts"), PLENTY),
    "rc_joins": {"local": PLENTY, "remote": PLENTY},
    "rc_joins_per_room": PLENTY,
    "rc_invites": dict.fromkeys(("per_room", "per_user", "per_issuer"), PLENTY),
    "rc_room_creation": PLENTY,
    "rc_media_create": PLENTY,
}


class Synapse:
    """A process of Synapse. What it stores is in `folder` and survives it. `registration` is the
    text of an application service's registration. Settings in `more` override the others.
    """

    def __init__(
        self,
        python: Path,
        folder: Path,
        registration: str,
        port: int | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        self.folder, self.port = folder.absolute(), port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = self.folder / "homeserver.log"
        self.process: Running | None = None
        self._command = [str(python), "-I", "-m", "synapse.app.homeserver"]
        self.more = more or {}
        self.folder.mkdir(parents=True, exist_ok=True)
        self.register(registration)

    def register(self, registration: str) -> None:
        """Writes an application service's registration for the next start."""
        (self.folder / "registration.yaml").write_text(registration)

    def start(self) -> Running:
        """Returns the process once the server answers. Raises Unavailable with its log if it
        does not start.
        """
        settings = self.folder / "homeserver.yaml"
        settings.write_text(json.dumps(self._settings(), indent=2))  # all JSON is YAML
        command = [*self._command, "-c", str(settings)]
        self._make_signing_key()
        process = self.process = self.launch(command)
        deadline = time.monotonic() + START_SECONDS
        while not self.serves():
            if process.poll() is not None or time.monotonic() > deadline:
                self.stop(signal.SIGKILL)
                last = self.log.read_text()[-2000:] if self.log.exists() else ""
                raise Unavailable("homeserver", f"The homeserver did not start:\n{last}")
            time.sleep(0.05)
        return process

    def launch(self, command: list[str]) -> Running:
        """Returns the process, which has begun to start."""
        with self.log.open("ab") as log:
            return subprocess.Popen(command, env=environment(), stdout=log, stderr=log)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(timeout=STOP_SECONDS)
            self.process = None

    def serves(self) -> bool:
        """Returns whether the server answers."""
        try:
            return self.call("GET", "/_matrix/client/versions").status == 200
        except OSError:
            return False

    def make_person(self, name: str, password: str, displayed: str, *, admin: bool = False) -> None:
        """Makes an account, unless it exists.

        https://element-hq.github.io/synapse/latest/admin_api/register_api.html
        """
        path = "/_synapse/admin/v1/register"
        nonce = self.call("GET", path).body["nonce"]
        words = "\0".join((nonce, name, password, "admin" if admin else "notadmin"))
        body = {
            "nonce": nonce,
            "username": name,
            "displayname": displayed,
            "password": password,
            "admin": admin,
            "mac": hmac.new(self._secret().encode(), words.encode(), hashlib.sha1).hexdigest(),
        }
        answer = self.call("POST", path, body)
        if answer.status != 200 and answer.body.get("errcode") != "M_USER_IN_USE":
            raise Unavailable("homeserver", f"The homeserver made no account: {answer.body}")

    def sign_in(self, name: str, password: str) -> str:
        """Returns an access token of a person."""
        body = {
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": name},
            "password": password,
        }
        return str(self.call("POST", "/_matrix/client/v3/login", body).body["access_token"])

    def call(self, method: str, path: str, body: Any = None, token: str | None = None) -> Reply:
        """Returns the answer to any call of the server. Raises OSError where it does not serve."""
        headers = {"content-type": "application/json"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(  # noqa: S310  # our own loopback address
            self.url + path, data=data, method=method, headers=headers
        )
        try:
            with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310  # as above
                return Reply(answer.status, json.loads(answer.read()))
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, json.loads(error.read()))

    def _settings(self) -> dict[str, Any]:
        """https://element-hq.github.io/synapse/latest/usage/configuration/config_documentation.html"""
        logging = self.folder / "logging.yaml"
        logging.write_text(json.dumps(_logging(self.log)))
        listener = {
            "port": self.port,
            "type": "http",
            "bind_addresses": ["127.0.0.1"],
            "resources": [{"names": ["client"]}],
        }
        database = {"name": "sqlite3", "args": {"database": str(self.folder / "homeserver.db")}}
        return {
            "server_name": MATRIX_SERVER_NAME,
            "public_baseurl": f"http://localhost:{self.port}/",
            "listeners": [listener],
            "database": database,
            "media_store_path": str(self.folder / "media"),
            "signing_key_path": str(self.folder / "signing.key"),
            "pid_file": str(self.folder / "homeserver.pid"),
            "log_config": str(logging),
            "app_service_config_files": [str(self.folder / "registration.yaml")],
            "federation_domain_whitelist": [],
            "trusted_key_servers": [],
            "suppress_key_server_warning": True,
            "report_stats": False,
            "url_preview_enabled": False,
            "enable_registration": False,
            "registration_shared_secret": self._secret(),
            "macaroon_secret_key": self._secret(),
            "form_secret": self._secret(),
            "bcrypt_rounds": 4,  # a password guards what only this machine reaches
            "presence": {"enabled": False},
            **LIMITS,
            **self.more,
        }

    def _make_signing_key(self) -> None:
        """Writes the server's key, as `--generate-keys` would after all of Synapse is loaded."""
        key = self.folder / "signing.key"
        if not key.exists():
            seed = base64.b64encode(secrets.token_bytes(32)).decode().rstrip("=")
            key.write_text(f"ed25519 a_{secrets.token_hex(2)} {seed}\n")

    def _secret(self) -> str:
        kept = self.folder / "secret"
        if not kept.exists():
            kept.write_text(secrets.token_hex(32))
        return kept.read_text()


def environment() -> dict[str, str]:
    """Returns the environment without Python's own settings, so that modules are compiled once."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def _logging(path: Path) -> dict[str, Any]:
    form = "%(asctime)s %(levelname)s %(name)s %(message)s"
    file = {"class": "logging.FileHandler", "filename": str(path), "formatter": "line"}
    return {
        "version": 1,
        "formatters": {"line": {"format": form}},
        "handlers": {"file": file},
        "root": {"level": "WARNING", "handlers": ["file"]},
        "disable_existing_loggers": False,
    }
