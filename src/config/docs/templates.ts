/**
 * What `init` writes: a node that can run something at once, under limits that a laptop bears. A key that is not
 * written has its default, and every default of a runner fails closed.
 */
export const SAMPLE_NODE = {
  NETWORK: 'thundercloud',
  VISIBILITY: 'public',
  LISTEN: ['/ip4/0.0.0.0/tcp/4980'],
  API: '127.0.0.1:4981',
  DATA: 'data',
  LOG_LEVEL: 'info',
}

export const SAMPLE_SERVICES = {
  SERVICES: {},
  EXTERNAL_SERVICES: {},
  RUNNER: 'andromeda/runner.js',
}

export const SAMPLE_RUNNER = {
  DOCKER_CONFIGS: {},
  DESC_MAX_LEN: 200,
  REDIRECTION_DEPTH: 3,
  STATIC_NODES: [],
  TRUSTED_HUBS: {},
  TRUST_TREE: { ROOTS: {} },
  PREFER_TOOLCHAIN: { docker: ['node.js'], host: ['node.js'] },
  KEYWORDS: [],
  NETCAP: {},
  ALLOWED_STORAGE: [],
  REDIRECT: 'unless-run',
  LIMITS: {
    TOTAL: { MEMORY: '2GiB', CPU: '2', DISK: '10GiB', PIDS: 1024, RUNS: 16 },
    SERVICE: { MEMORY: '512MiB', CPU: '1', DISK: '1GiB', PIDS: 256 },
    RESULTS: { BYTES: '1GiB', SECONDS: '7d' },
  },
}

export const ANDROMEDA = `// The runner that decides here. Its settings are in config.json beside it.
export { default } from 'thundercloud/andromeda'
`
