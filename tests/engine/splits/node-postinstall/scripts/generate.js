const fs = require("fs");

fs.mkdirSync("generated", { recursive: true });
fs.writeFileSync("generated/client.js", `module.exports = ${fs.readFileSync("schema.json")};\n`);
