"""A bot: verifies the signature, answers, and asks for a human. It needs only Python.

python infra/examples/bot.py & BOT_WEBHOOK_URL=http://127.0.0.1:9000/ make run
"""

import base64
import hashlib
import hmac
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

API = os.environ.get("BATON_API", "http://127.0.0.1:8080/send_representative")
KEY = os.environ.get("BATON_KEY", "dev-bot")  # a key of BATON_API_KEYS that may speak as BOT
SIGNING_KEY = os.environ.get("OUTBOUND_WEBHOOK_KEY", "dev-outbound-key-32-bytes-or-more").encode()


def call(path: str, body: dict[str, object]) -> None:
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    url = f"{API}/v1/conversations/{path}"
    try:
        urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers))
    except urllib.error.HTTPError as error:
        if error.code != 409:  # 409: it was sent before, or a human is present
            raise


def answer(message: dict[str, str], conversation: str) -> None:
    if "human" in message["text"].lower():
        call(
            f"{conversation}:requestHuman",
            {"reason": message["text"], "requestId": message["messageId"]},
        )
    else:
        call(
            f"{conversation}/messages",
            {"messageId": f"re-{message['messageId']}", "text": f"You said: {message['text']}"},
        )


class Bot(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        signature = base64.b64encode(hmac.digest(SIGNING_KEY, body, hashlib.sha512)).decode()
        genuine = hmac.compare_digest(signature, self.headers.get("X-Goog-Signature", ""))
        if genuine and "message" in (event := json.loads(body)):
            answer(event["message"], urllib.parse.quote(event["conversationId"], safe=""))
        self.send_response(200 if genuine else 401)
        self.end_headers()


ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "9000"))), Bot).serve_forever()
