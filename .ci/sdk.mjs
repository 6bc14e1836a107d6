// OpenAI's own Node SDK, unmodified, against a gateway over simulated providers: `node sdk.mjs BASE_URL`.

import assert from "node:assert/strict";
import OpenAI from "openai";

const client = new OpenAI({ baseURL: process.argv[2], apiKey: "relay", maxRetries: 0 });
const model = "meta-model";
const messages = [{ role: "user", content: "Why is the sky blue?" }];
const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const tools = [{ type: "function", function: { name: "weather", description: "The weather", parameters } }];

const checks = {
  async plain() {
    const { data, response } = await client.chat.completions.create({ model, messages }).withResponse();
    assert.ok(data.choices[0].message.content);
    assert.equal(data.choices[0].finish_reason, "stop");
    assert.equal(data.usage.total_tokens, data.usage.prompt_tokens + data.usage.completion_tokens);
    assert.equal(response.headers.get("x-relay-route"), `${data.meta.provider}/${data.meta.model}`);
  },

  async "streamed with usage"() {
    const stream = await client.chat.completions.create({
      model, messages, stream: true, stream_options: { include_usage: true },
    });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    assert.ok(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join(""));
    assert.ok(chunks.at(-1).usage.completion_tokens > 0);
  },

  async "tools with their second turn"() {
    const asked = [{ role: "user", content: "How is the weather in Paris?" }];
    const first = await client.chat.completions.create({ model, messages: asked, tools, tool_choice: "required" });
    const message = first.choices[0].message;
    const [call] = message.tool_calls;
    assert.equal(first.choices[0].finish_reason, "tool_calls");
    assert.equal(call.function.name, "weather");
    assert.equal(typeof JSON.parse(call.function.arguments).city, "string");
    const result = { role: "tool", tool_call_id: call.id, content: "Sunny, 24 degrees" };
    const second = await client.chat.completions.create({ model, messages: [...asked, message, result], tools });
    assert.match(second.choices[0].message.content, /Sunny/);
  },

  async "an abandoned stream does no harm"() {
    const stream = await client.chat.completions.create({ model, messages, stream: true });
    for await (const _ of stream) break;
    assert.ok((await client.chat.completions.create({ model, messages })).choices[0].message.content);
  },

  async "an error has its type and status"() {
    const wrong = client.chat.completions.create({ model: "no-such-model", messages });
    await assert.rejects(wrong, (error) => {
      assert.ok(error instanceof OpenAI.NotFoundError);
      assert.deepEqual([error.status, error.code, error.param], [404, "model_not_found", "model"]);
      return error.type === "invalid_request_error";
    });
  },

  async "the models list"() {
    const models = [];
    for await (const one of client.models.list()) models.push(one.id);
    assert.equal(models[0], "meta-model");
    assert.equal((await client.models.retrieve(models.at(-1))).id, models.at(-1));
  },
};

for (const [name, check] of Object.entries(checks)) {
  await check();
  console.log(`  ok  ${name}`);
}
console.log(`openai for Node: ${Object.keys(checks).length} checks passed`);
