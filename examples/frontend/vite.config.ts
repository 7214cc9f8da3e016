import { defineConfig } from "vite";

export default defineConfig({
  build: { target: "es2022" },
  server: { proxy: { "/api": { target: "http://localhost:8000", rewrite: (path) => path.slice("/api".length) } } },
});
