// The todo list as tools of an MCP server.
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { z } from "zod";

export function todoServer(backend) {
  const server = new McpServer({ name: "todos", version: "1.0.0" });
  const title = z.string().describe("what is to be done");
  const id = z.number().int().describe("the todo's id");

  server.registerTool("list_todos", { description: "List all todos" }, () => call(backend, "GET", ""));
  server.registerTool("add_todo", { description: "Add a todo", inputSchema: { title } }, (todo) =>
    call(backend, "POST", "", todo),
  );
  server.registerTool("finish_todo", { description: "Mark a todo as done", inputSchema: { id } }, ({ id }) =>
    call(backend, "PATCH", `/${id}`, { done: true }),
  );
  return server;
}

async function call(backend, method, path, body) {
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(`${backend}/todos${path}`, { method, headers, body: body && JSON.stringify(body) });
  return { isError: !response.ok, content: [{ type: "text", text: await response.text() }] };
}
