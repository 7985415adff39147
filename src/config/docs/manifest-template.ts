/** The commented manifest that a new service begins with; `schema` is where the JSON Schema is. */
export function commentedManifest(name: string, schema: string): string {
  return `{
  "$schema": ${JSON.stringify(schema)},

  // Your name for it, lower case. \`publish\` announces it once; \`update\` announces each next version of it.
  "name": ${JSON.stringify(name)},
  "title": ${JSON.stringify(name)},
  // A few words for people. Most nodes refuse 200 characters and more.
  "desc": "",
  // Nodes compare these with their own interests.
  "keywords": [],
  // What it takes to run it. Add "docker" to be run in Docker only.
  "toolchain": ["node.js"],
  // How long the service lives: "90s", "15m", "24h", "7d"; at most 30 days.
  "expires": "7d",

  "run": {
    // Started in the folder of the code. No shell is involved.
    "command": ["node", "server.js"],
    "env": { "PORT": "8080" },
    // "service" runs until it expires; "task" ends by itself.
    "kind": "service",
    // Listen on 127.0.0.1. "access": "any" lets every peer connect; without it only you can.
    "ports": [{ "name": "http", "port": 8080, "access": "author" }],
    "restart": "on-failure"
  },

  // Ask for little: nodes refuse what is over their limits, and say so.
  "resources": { "memory": "128MiB", "disk": "64MiB", "cpu": "0.25", "pids": 64 },
  // What it must reach, as "host:port". Empty: no network at all.
  "network": [],

  // On how many nodes it shall run.
  "replicas": 1,
  // How many times nodes may redirect it. 0: only your neighbours hear of it.
  "depth": 3
}
`
}
