import { mkdir, realpath, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { getCACertificates } from 'node:tls'
import { InputError, UnavailableError } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import { IGNORE_FILE, listFolder, type PackEntry } from '../../code/index.ts'
import { findNpm, openRuntimeDir, runtimeInit } from '../../config/index.ts'
import { createEgress, machineNetwork } from '../../egress/index.ts'
import { createSandboxExecutor, PROXY_URL } from '../../execution/index.ts'
import type { Cli } from '../cli.ts'

const MIB = 1024 * 1024
const LIMITS = { memoryBytes: 1024 * MIB, diskBytes: 1024 * MIB, cpuMillicores: 2000, pids: 256 }
const TIMEOUT_MS = 10 * 60_000
const NPM = '/opt/thundercloud/npm'
const AUTHORITIES = '/opt/thundercloud/authorities.pem'
/** What npm notes about an installation: it names the registry, which is not the same everywhere. */
const NOT_PACKED = '/node_modules/.package-lock.json\n'
const OPTIONS = [
  '--omit=dev',
  '--ignore-scripts',
  '--no-audit',
  '--no-fund',
  '--no-save',
  '--no-package-lock',
  '--no-update-notifier',
  '--loglevel=error',
]

export type InstallInit = {
  /** an empty folder of this command, which the files stay in */
  readonly dir: string
  /** where the registry is: `node_modules` comes from there, and from nowhere else */
  readonly registry: string
  readonly bubblewrap: string | undefined
}

/**
 * What `npm install` makes of a package: it and what it depends on, in `node_modules`. npm runs in the sandbox of builds, runs no
 * script of a package, and reaches the registry alone.
 */
export async function installPackage(
  cli: Pick<Cli, 'clock' | 'rng' | 'env' | 'log' | 'out' | 'signal'>,
  { name, version }: { name: string; version: string },
  { dir, registry, bubblewrap }: InstallInit,
): Promise<PackEntry[]> {
  const { clock, rng, env, signal } = cli
  const it = `${name}@${version}`
  const npm = await npmFolder(env.PATH ?? '', it)
  const runtimeDir = await openRuntimeDir(runtimeInit(undefined, env), `i-${rng.uuid().slice(0, 8)}`)
  await using stack = new AsyncDisposableStack()
  stack.defer(() => rm(runtimeDir, { recursive: true, force: true }))
  const sandbox = createSandboxExecutor(
    { clock, rng, log: cli.log('error') },
    { nodeId: `install-${rng.uuid().slice(0, 8)}`, runtimeDir, dir: join(dir, 'sandbox'), bubblewrap },
  )
  const unavailable = await sandbox.unavailableReason({ signal })
  if (unavailable !== undefined) {
    throw new UnavailableError(`${it} has dependencies, which npm installs in a sandbox only: ${unavailable}`)
  }
  await mkdir(dir, { recursive: true })
  const [code, authorities] = [join(dir, 'code'), join(dir, 'authorities.pem')]
  await mkdir(code, { mode: 0o755 })
  await writeFile(authorities, getCACertificates('extra').join('\n'), { mode: 0o644 })
  using _progress = cli.out.progress(`installing ${it} and its dependencies`, { plain: true })
  const end = await sandbox.run(
    {
      command: ['node', join(npm.seen, 'bin/npm-cli.js'), 'install', it, ...OPTIONS],
      codeDir: code,
      writes: true,
      readOnlyMounts: [...npm.mounts, { path: authorities, as: AUTHORITIES }],
      env: {
        npm_config_registry: registry,
        npm_config_proxy: PROXY_URL,
        npm_config_https_proxy: PROXY_URL,
        npm_config_noproxy: '',
        npm_config_cache: '/work/cache',
        npm_config_userconfig: '/work/npmrc',
        npm_config_globalconfig: '/work/global-npmrc',
        NODE_EXTRA_CA_CERTS: AUTHORITIES,
      },
      limits: LIMITS,
      timeoutMs: TIMEOUT_MS,
      egress: { through: egressTo(registry, cli), maxBytes: LIMITS.diskBytes },
    },
    { signal },
  )
  if (end.exitCode !== 0) {
    const why = sanitizeText(end.detail ?? end.errorLine ?? `exit code ${end.exitCode}`, 300)
    throw new UnavailableError(`npm could not install ${it}: ${why}`)
  }
  await writeFile(join(code, IGNORE_FILE), NOT_PACKED)
  return await listFolder(code, { signal })
}

/** The npm of this machine. A sandbox shows /usr as it is; an npm that is elsewhere is shown in a place of its own. */
async function npmFolder(path: string, it: string) {
  const program = findNpm(path)
  if (program === undefined) {
    throw new InputError(`${it} has dependencies, and npm, which installs them, is not on PATH: install npm`)
  }
  const folder = dirname(dirname(await realpath(program)))
  if (folder.startsWith('/usr/')) return { seen: folder, mounts: [] }
  return { seen: NPM, mounts: [{ path: folder, as: NPM }] }
}

function egressTo(registry: string, { clock }: Pick<Cli, 'clock'>) {
  const { hostname, port, protocol } = new URL(registry)
  const host = { host: hostname.replace(/^\[(.*)\]$/, '$1'), subdomains: false, privateAllowed: true }
  const policy = { hosts: [{ ...host, port: Number(port || (protocol === 'https:' ? 443 : 80)) }], addresses: [] }
  return createEgress(machineNetwork(clock), { policy })
}
