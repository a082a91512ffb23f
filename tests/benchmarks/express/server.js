// CSKU's documented handler of agent.message_out, word for word where it can be: two writes per
// event, nothing checked. https://docs.csku.ai/webhooks/events/agent-message-out
import { Firestore } from "@google-cloud/firestore";
import express from "express";

const firestore = new Firestore({ projectId: process.env.GOOGLE_CLOUD_PROJECT });
const db = {
  agentActivity: { create: (data) => firestore.collection("agentActivity").add(data) },
  conversations: {
    update: (id, data) => firestore.collection("conversations").doc(id).set(data, { merge: true }),
  },
};

const app = express();
app.use(express.json());

app.post("/webhook", async (req, res) => {
  const { event, message } = req.body;

  if (event === "agent.message_out") {
    const { agent, content } = message;

    console.log(`Agen ${agent.name} mengirim pesan`);

    await db.agentActivity.create({
      agent_name: agent.name,
      conversation_id: req.body.conversation_id,
      message: content.text,
      timestamp: new Date(req.body.timestamp * 1000),
    });

    await db.conversations.update(req.body.conversation_id, {
      handled_by: "human",
      agent_name: agent.name,
    });
  }

  res.status(200).send("OK");
});

app.listen(Number(process.env.PORT), "127.0.0.1");
