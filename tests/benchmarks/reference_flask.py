"""CSKU's documented handler of agent.message_out in Flask: two writes per event, nothing checked.

https://docs.csku.ai/webhooks/events/agent-message-out
"""

import os
from datetime import UTC, datetime

from flask import Flask, request
from google.cloud import firestore

app = Flask(__name__)
database = firestore.Client(project=os.environ["GOOGLE_CLOUD_PROJECT"])


@app.post("/webhook")
def webhook() -> str:
    body = request.get_json()
    if body["event"] == "agent.message_out":
        agent, content = body["message"]["agent"], body["message"]["content"]
        print(f"Agen {agent['name']} mengirim pesan", flush=True)  # noqa: T201  # as documented
        database.collection("agentActivity").add(
            {
                "agent_name": agent["name"],
                "conversation_id": body["conversation_id"],
                "message": content["text"],
                "timestamp": datetime.fromtimestamp(body["timestamp"], UTC),
            }
        )
        conversation = database.collection("conversations").document(body["conversation_id"])
        conversation.set({"handled_by": "human", "agent_name": agent["name"]}, merge=True)
    return "OK"
