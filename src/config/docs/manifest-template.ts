import { MANIFEST_PARTS, type ServiceTemplate, WEB } from './service-templates.ts'

/** The commented manifest that a new service begins with; `schema` is where the JSON Schema is. */
export function commentedManifest(name: string, schema: string, template?: ServiceTemplate): string {
  const { keywords, run } = template === undefined ? WEB : MANIFEST_PARTS[template]
  return `{
  "$schema": ${JSON.stringify(schema)},

  // Your name for it, lower case. \`publish\` announces it once; \`update\` announces each next version of it.
  "name": ${JSON.stringify(name)},
  "title": ${JSON.stringify(name)},
  // A few words for people. Most nodes refuse 200 characters and more.
  "desc": "",
  // Nodes compare these with their own interests.
  "keywords": ${JSON.stringify(keywords)},
  // What it takes to run it. Add "docker" to be run in Docker only.
  "toolchain": ["node.js"],
  // How long the service lives: "90s", "15m", "24h", "7d"; at most 30 days.
  "expires": "7d",

  "run": {
${run.map((line) => `    ${line}`).join('\n')}
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
