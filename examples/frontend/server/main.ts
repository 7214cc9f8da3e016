// Serves the built page, and hands /api on to the backend.
import express from "express";

const backend = process.env.BACKEND_URL ?? "http://localhost:8000";
const port = Number(process.env.PORT ?? 3000);
const app = express();

app.use("/api", express.text({ type: "*/*" }), async (request, response) => {
  const hasBody = typeof request.body === "string" && request.body !== "";
  const answer = await fetch(backend + request.url, {
    method: request.method,
    headers: { "Content-Type": "application/json" },
    body: hasBody ? request.body : undefined,
  });
  response.status(answer.status).type("application/json").send(await answer.text());
});

app.use(express.static("dist"));
app.listen(port, () => console.log(`the todo page is on port ${port}`));
