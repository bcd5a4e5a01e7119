// The TypeScript SDK as a client of ours: lists the tools and calls one, over both of its HTTP transports.
// Arguments: the URL, the transport (http or sse), a bearer token. Prints what it got as JSON.
import { createRequire } from "node:module";

const require = createRequire(process.env.NODE_MODULES + "/");
const { Client } = require("@modelcontextprotocol/sdk/client/index.js");
const { StreamableHTTPClientTransport } = require("@modelcontextprotocol/sdk/client/streamableHttp.js");
const { SSEClientTransport } = require("@modelcontextprotocol/sdk/client/sse.js");

const [url, kind, token] = process.argv.slice(2);
const Transport = kind === "sse" ? SSEClientTransport : StreamableHTTPClientTransport;
const client = new Client({ name: "typescript-sdk", version: "1.0.0" });
await client.connect(new Transport(new URL(url), { requestInit: { headers: { Authorization: `Bearer ${token}` } } }));
const { tools } = await client.listTools();
const result = await client.callTool({ name: "get_automation_runs", arguments: { limit: 1 } });
console.log(JSON.stringify({ tools: tools.map((tool) => tool.name), runs: result.structuredContent.runs, server: client.getServerVersion().name }));
await client.close();
