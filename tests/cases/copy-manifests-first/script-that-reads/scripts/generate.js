const { readFileSync, writeFileSync } = require("node:fs");
writeFileSync("src/generated.json", readFileSync("schema.json"));
