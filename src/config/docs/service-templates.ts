export const SERVICE_TEMPLATES = ['web', 'static', 'task', 'cron', 'database'] as const
export type ServiceTemplate = (typeof SERVICE_TEMPLATES)[number]

/** What the manifests of templates differ in: lines of "run", and keywords. Their code is in configs/templates. */
type Part = { readonly keywords: readonly string[]; readonly run: readonly string[] }

const FOLDER = '// Started in the folder of the code. No shell is involved.'
const SERVER = [
  FOLDER,
  '"command": ["node", "server.js"],',
  '"env": { "PORT": "8080" },',
  '// "service" runs until it expires; "task" ends by itself.',
  '"kind": "service",',
  '// Listen on 127.0.0.1. "access": "any" lets every peer connect; without it only you can.',
  '"ports": [{ "name": "http", "port": 8080, "access": "author" }],',
  '"restart": "on-failure"',
]

export const WEB: Part = { keywords: [], run: SERVER }

export const MANIFEST_PARTS: Readonly<Record<ServiceTemplate, Part>> = {
  web: { ...WEB, keywords: ['web'] },
  static: { keywords: ['web'], run: SERVER },
  task: {
    keywords: ['task'],
    run: [
      FOLDER,
      '"command": ["node", "main.js"],',
      '// A task ends by itself: exit code 0 means done. "service" runs until it expires.',
      '"kind": "task",',
      '"timeout": "10m",',
      '// Files and folders below /work. `thundercloud results` fetches them.',
      '"outputs": ["result.json"]',
    ],
  },
  cron: {
    keywords: ['cron'],
    run: [
      FOLDER,
      '"command": ["node", "main.js"],',
      '// A service that waits between its jobs. On one node at a time, as "replicas" says.',
      '"env": { "EVERY_SECONDS": "60" },',
      '"kind": "service",',
      '"restart": "always"',
    ],
  },
  database: { keywords: ['database'], run: SERVER },
}
