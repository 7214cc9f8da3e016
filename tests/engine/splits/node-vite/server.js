import { createServer } from "node:http";
import sirv from "sirv";

const server = createServer(sirv("dist"));
server.listen(process.env.PORT ?? 3000, async () => {
  if (process.argv.includes("--once")) {
    const page = await fetch(`http://127.0.0.1:${server.address().port}/index.html`);
    console.log(page.status, (await page.text()).includes("assets/"));
    server.close();
  }
});
