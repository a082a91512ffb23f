// A bot: verifies who calls, answers, and asks for a human. Needs nothing but Node.js.
// node infra/examples/bot.mjs &  BOT_WEBHOOK_URL=http://127.0.0.1:9000/ make run
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const API = process.env.BATON_API ?? "http://127.0.0.1:8080/send_representative";
const KEY = process.env.BATON_KEY ?? "dev-bot"; // a key of BATON_API_KEYS that may speak as BOT
const SIGNING_KEY = process.env.OUTBOUND_WEBHOOK_KEY ?? "dev-outbound-key-32-bytes-or-more";

const call = async (path, body) => {
  const headers = { Authorization: `Bearer ${KEY}`, "Content-Type": "application/json" };
  const answer = await fetch(`${API}/v1/conversations/${path}`, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
  if (!answer.ok && answer.status !== 409) throw new Error(`Baton answered ${answer.status}`);
};

const answer = ({ text, messageId }, conversation) =>
  /human/i.test(text)
    ? call(`${conversation}:requestHuman`, { reason: text, requestId: messageId })
    : call(`${conversation}/messages`, { messageId: `re-${messageId}`, text: `You said: ${text}` });

createServer(async (request, response) => {
  const body = Buffer.concat(await request.toArray());
  const expected = Buffer.from(createHmac("sha512", SIGNING_KEY).update(body).digest("base64"));
  const given = Buffer.from(request.headers["x-goog-signature"] ?? "");
  if (expected.length !== given.length || !timingSafeEqual(expected, given))
    return response.writeHead(401).end();
  const event = JSON.parse(body);
  if (event.message) await answer(event.message, encodeURIComponent(event.conversationId));
  response.writeHead(200).end();
}).listen(Number(process.env.PORT ?? 9000), "127.0.0.1");
