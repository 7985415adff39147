import { mkdir, realpath, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { getCACertificates } from 'node:tls'
import { InputError, UnavailableError } from '../../base/errors.ts'
import { sanitizeText } from '../../base/format.ts'
import { IGNORE_FILE, listFolder, type PackEntry } from '../../code/index.ts'
import { type ClientAccess, findNpm, openRuntimeDir, runtimeInit } from '../../config/index.ts'
import { createEgress, machineNetwork, namedHost } from '../../egress/index.ts'
import { createSandboxExecutor, PROXY_PORT, proxyUrl } from '../../execution/index.ts'
import type { Cli } from '../cli.ts'

const MIB = 1024 * 1024
const LIMITS = { memoryBytes: 1024 * MIB, diskBytes: 1024 * MIB, cpuMillicores: 2000, pids: 256 }
const TIMEOUT_MS = 10 * 60_000
const NPM = '/opt/thundercloud/npm'
const AUTHORITIES = '/opt/thundercloud/authorities.pem'
const NPMRC = '/opt/thundercloud/npmrc'
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

/** Where `node_modules` comes from, and from nowhere else. */
export type InstallRegistry = {
  readonly url: string
  /** scopes that have another address */
  readonly scopes: Readonly<Record<string, string>>
  /** of each of these addresses */
  readonly access: ReadonlyMap<string, ClientAccess>
}

export type InstallInit = {
  /** an empty folder of this command, which the files stay in */
  readonly dir: string
  /** tried in order */
  readonly registries: readonly InstallRegistry[]
  readonly bubblewrap: string | undefined
}

/**
 * What `npm install` makes of a package: it and what it depends on, in `node_modules`. npm runs in the sandbox of builds, runs no
 * script of a package, and reaches the registries alone.
 */
export async function installPackage(
  cli: Pick<Cli, 'clock' | 'rng' | 'env' | 'log' | 'out' | 'signal'>,
  { name, version }: { name: string; version: string },
  { dir, registries, bubblewrap }: InstallInit,
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
  using _progress = cli.out.progress(`installing ${it} and its dependencies`, { plain: true })
  const problems: string[] = []
  for (const [index, registry] of registries.entries()) {
    const own = join(dir, String(index))
    const code = join(own, 'code')
    await mkdir(own, { recursive: true })
    await mkdir(code, { mode: 0o755 })
    const problem = await install(registry, own, code)
    if (problem === undefined) {
      await writeFile(join(code, IGNORE_FILE), NOT_PACKED)
      return await listFolder(code, { signal })
    }
    problems.push(problem)
  }
  throw new UnavailableError(`npm could not install ${it}: ${problems.join('; ')}`)

  async function install(registry: InstallRegistry, own: string, code: string): Promise<string | undefined> {
    const [authorities, npmrc] = [join(own, 'authorities.pem'), join(own, 'npmrc')]
    const more = [...registry.access.values()].flatMap((access) => access.authorities ?? [])
    await writeFile(authorities, [...getCACertificates('extra'), ...more].join('\n'), { mode: 0o644 })
    await writeFile(npmrc, npmrcText(registry), { mode: 0o644 })
    const end = await sandbox.run(
      {
        command: ['node', join(npm.seen, 'bin/npm-cli.js'), 'install', it, ...OPTIONS],
        codeDir: code,
        writes: true,
        readOnlyMounts: [...npm.mounts, { path: authorities, as: AUTHORITIES }, { path: npmrc, as: NPMRC }],
        env: {
          npm_config_proxy: proxyUrl(PROXY_PORT),
          npm_config_https_proxy: proxyUrl(PROXY_PORT),
          npm_config_noproxy: '',
          npm_config_cache: '/work/cache',
          npm_config_userconfig: NPMRC,
          npm_config_globalconfig: '/work/global-npmrc',
          NODE_EXTRA_CA_CERTS: AUTHORITIES,
        },
        limits: LIMITS,
        timeoutMs: TIMEOUT_MS,
        egress: { through: egressTo(registry, cli), maxBytes: LIMITS.diskBytes },
      },
      { signal },
    )
    if (end.exitCode === 0) return undefined
    return sanitizeText(end.detail ?? end.errorLine ?? `exit code ${end.exitCode}`, 300)
  }
}

/** The settings of npm that this installation needs, and no others: the person's file may hold more. */
function npmrcText({ url, scopes, access }: InstallRegistry): string {
  const lines = [
    `registry=${JSON.stringify(url)}`,
    ...Object.entries(scopes).map(([scope, at]) => `${scope}:registry=${JSON.stringify(at)}`),
    ...[...access].flatMap(([at, { authorization }]) => {
      const [scheme, secret] = authorization?.split(' ', 2) ?? []
      if (secret === undefined) return []
      const { host, pathname } = new URL(at)
      const key = scheme === 'Bearer' ? '_authToken' : '_auth'
      return [`//${host}${pathname.replace(/\/*$/, '/')}:${key}=${JSON.stringify(secret)}`]
    }),
  ]
  return `${lines.join('\n')}\n`
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

function egressTo({ url, scopes }: InstallRegistry, { clock }: Pick<Cli, 'clock'>) {
  const hosts = [url, ...Object.values(scopes)].map((at) => namedHost(at, { privateAllowed: true }))
  return createEgress(machineNetwork(clock), { policy: { hosts, addresses: [] } })
}
