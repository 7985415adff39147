import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** What a machine may lack. `THUNDERCLOUD_REQUIRE=engine,root` turns a lack of one into a failure. */
export type Need =
  | 'engine'
  | 'own-engine'
  | 'own-swarm'
  | 'nat'
  | 'bubblewrap'
  | 'browser'
  | 'root'
  | 'clamav'
  | 'git'
  | 'registry'
  | 'docker-registry'
  | 'postgres'
  | 'prometheus'
  | 'systemd'

interface Probe {
  available(): boolean
  lack: string
}

const ENGINE_SOCKET = '/var/run/docker.sock'
const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** What an engine takes that is started beside the machine's own, and sees other folders. */
const OWN_ENGINE = ['dockerd', 'unshare', 'openssl']

/** What two such engines take that are machines of a swarm, beside a registry. */
const OWN_SWARM = ['dockerd', 'docker-registry', 'ip', 'nsenter', 'unshare']

/** What hosts take that are behind routers, on networks of their own. */
const NAT = ['ip', 'iptables', 'unshare']

const PROBES: Record<Need, Probe> = {
  engine: { available: engineAnswers, lack: `no container engine answers on ${ENGINE_SOCKET}` },
  'own-engine': {
    available: () => process.getuid?.() === 0 && OWN_ENGINE.every((name) => programPath(name) !== undefined),
    lack: `an engine of the tests' own needs root and ${OWN_ENGINE.join(', ')} on PATH`,
  },
  'own-swarm': {
    available: () =>
      process.getuid?.() === 0 && OWN_SWARM.every((name) => programPath(name) !== undefined) && hasKernelLink('vxlan'),
    lack: `a swarm of the tests' own needs root, a kernel with vxlan, and ${OWN_SWARM.join(', ')} on PATH`,
  },
  nat: {
    available: () =>
      process.getuid?.() === 0 &&
      NAT.every((name) => programPath(name) !== undefined) &&
      succeeds('unshare', [
        '--net',
        'iptables',
        '-t',
        'nat',
        '-A',
        'POSTROUTING',
        '-j',
        'MASQUERADE',
        '--random-fully',
      ]),
    lack: `networks behind NAT need root, a kernel with network namespaces and MASQUERADE, and ${NAT.join(', ')} on PATH`,
  },
  bubblewrap: {
    available: () => succeeds('bwrap', ['--unshare-all', '--ro-bind', '/', '/', 'true']),
    lack: 'bubblewrap is not installed or cannot create namespaces here',
  },
  browser: { available: () => browserPath() !== undefined, lack: `none of ${BROWSERS.join(', ')} is on PATH` },
  clamav: { available: () => programPath('clamscan') !== undefined, lack: 'clamscan is not on PATH' },
  git: { available: () => programPath('git') !== undefined, lack: 'git is not on PATH' },
  registry: { available: () => succeeds('npm', ['ping']), lack: 'no npm registry answers `npm ping`' },
  'docker-registry': {
    available: () => programPath('docker-registry') !== undefined,
    lack: 'docker-registry is not on PATH',
  },
  postgres: { available: () => postgresFolder() !== undefined, lack: 'PostgreSQL is not installed' },
  prometheus: {
    available: () => ['prometheus', 'promtool'].every((name) => programPath(name) !== undefined),
    lack: 'prometheus or promtool is not on PATH',
  },
  systemd: { available: () => programPath('systemd-analyze') !== undefined, lack: 'systemd-analyze is not on PATH' },
  root: { available: () => process.getuid?.() === 0, lack: 'the tests do not run as root' },
}

const PROBE_TIMEOUT_MS = 10_000
const found = new Map<Need, boolean>()

/**
 * Whether this machine has what a test needs: `describe.skipIf(!needs('engine'))`. The first lack of each kind is
 * explained on stderr.
 * @throws when THUNDERCLOUD_REQUIRE lists a need that is not met
 */
export function needs(need: Need): boolean {
  const known = found.get(need)
  const available = known ?? PROBES[need].available()
  found.set(need, available)
  if (available) return true
  if (required().has(need)) throw new Error(`THUNDERCLOUD_REQUIRE lists ${need}, but ${PROBES[need].lack}`)
  if (known === undefined) process.stderr.write(`Skipping the tests that need ${need}: ${PROBES[need].lack}.\n`)
  return false
}

/** The system's browser, for a test that drives one. */
export function browserPath(): string | undefined {
  return BROWSERS.map(programPath).find((path) => path !== undefined)
}

/** Where Debian has the newest version of PostgreSQL. */
export function postgresFolder(): string | undefined {
  const root = '/usr/lib/postgresql'
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : []
  return versions.map((version) => join(root, version)).find((dir) => isExecutable(join(dir, 'bin/postgres')))
}

function programPath(name: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  return folders.map((folder) => join(folder, name)).find(isExecutable)
}

function required(): Set<string> {
  const names = (process.env.THUNDERCLOUD_REQUIRE ?? '').split(',').map((name) => name.trim())
  const listed = new Set(names.filter((name) => name !== ''))
  for (const name of listed) {
    if (!Object.hasOwn(PROBES, name)) throw new Error(`THUNDERCLOUD_REQUIRE lists ${name}, which no test knows`)
  }
  return listed
}

// A child asks, because `describe.skipIf` wants its answer at once.
function engineAnswers(): boolean {
  const ask = `
    const request = require('node:http').get({ socketPath: ${JSON.stringify(ENGINE_SOCKET)}, path: '/_ping' }, response => {
      response.resume()
      process.exitCode = response.statusCode === 200 ? 0 : 1
    })
    request.on('error', () => { process.exitCode = 1 })`
  return succeeds(process.execPath, ['-e', ask])
}

function succeeds(command: string, args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore', timeout: PROBE_TIMEOUT_MS }).status === 0
}

/** Network devices of this kind can be made, in a namespace that goes at once. */
function hasKernelLink(kind: string): boolean {
  return succeeds('unshare', ['--net', 'ip', 'link', 'add', 'probe', 'type', kind, 'id', '1', 'dstport', '4789'])
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
