package index

import "strings"

// JavaScript is a whole MCP server without dependencies: it answers initialize and tools/list, and its one tool says
// what it was given as arguments and as the environment variable GREETING. The placeholder is its version.
func JavaScript(version string) string { return strings.ReplaceAll(javaScript, "VERSION", version) }

const javaScript = `#!/usr/bin/env node
const lines = require("node:readline").createInterface({ input: process.stdin });
const tool = { name: "greet", description: "Says hello.", inputSchema: { type: "object" } };
lines.on("line", (line) => {
  const { id, method } = JSON.parse(line);
  if (id === undefined) return;
  const text = process.argv.slice(2).join(" ") + " " + (process.env.GREETING ?? "");
  const results = {
    initialize: { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo: { name: "made", version: "VERSION" } },
    ping: {},
    "tools/list": { tools: [tool] },
    "tools/call": { content: [{ type: "text", text: "VERSION " + text.trim() }] },
  };
  const answer = results[method] ? { result: results[method] } : { error: { code: -32601, message: "no such method" } };
  process.stdout.write(JSON.stringify({ jsonrpc: "2.0", id, ...answer }) + "\n");
});
`

// PythonServer is the same in Python: the content of a module's __main__.py, with a function main.
func PythonServer(version string) string { return strings.ReplaceAll(python, "VERSION", version) }

const python = `import json, os, sys

TOOL = {"name": "greet", "description": "Says hello.", "inputSchema": {"type": "object"}}

def main():
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message:
            continue
        text = " ".join(sys.argv[1:]) + " " + os.environ.get("GREETING", "")
        results = {
            "initialize": {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {"name": "made", "version": "VERSION"}},
            "ping": {},
            "tools/list": {"tools": [TOOL]},
            "tools/call": {"content": [{"type": "text", "text": "VERSION " + text.strip()}]},
        }
        method = message["method"]
        answer = {"result": results[method]} if method in results else {"error": {"code": -32601, "message": "no such method"}}
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], **answer}), flush=True)

if __name__ == "__main__":
    main()
`
