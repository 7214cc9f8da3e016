// Serves the todo tools over HTTP, one MCP session a request.
import { createMcpExpressApp } from "@modelcontextprotocol/sdk/server/express.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { todoServer } from "./server.js";

const port = Number(process.env.PORT ?? 3001);
const backend = process.env.BACKEND_URL ?? "http://localhost:8000";
const app = createMcpExpressApp({ host: "0.0.0.0", allowedHosts: ["localhost", "mcp-server"] });

app.get("/health", (_, response) => response.json({ status: "ok" }));

app.post("/mcp", async (request, response) => {
  const server = todoServer(backend);
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
  response.on("close", () => server.close());
  await server.connect(transport);
  await transport.handleRequest(request, response, request.body);
});

app.listen(port, () => console.log(`the todo tools are on port ${port}`));
