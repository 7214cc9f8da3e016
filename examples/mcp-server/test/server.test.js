import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import { todoServer } from "../src/server.js";

test("a todo is added through its tool", async () => {
  const backend = createServer((request, response) => response.end(`${request.method} ${request.url}`)).listen(0);
  const server = todoServer(`http://localhost:${backend.address().port}`);
  const client = new Client({ name: "test", version: "1.0.0" });
  const [here, there] = InMemoryTransport.createLinkedPair();
  await Promise.all([server.connect(there), client.connect(here)]);

  const { tools } = await client.listTools();
  assert.deepEqual(tools.map((tool) => tool.name), ["list_todos", "add_todo", "finish_todo"]);
  const added = await client.callTool({ name: "add_todo", arguments: { title: "buy milk" } });
  assert.equal(added.content[0].text, "POST /todos");
  const done = await client.callTool({ name: "finish_todo", arguments: { id: 7 } });
  assert.equal(done.content[0].text, "PATCH /todos/7");

  await client.close();
  backend.close();
});
