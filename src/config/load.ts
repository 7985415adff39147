import { readdir, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { InputError } from '../base/errors.ts'
import { isLoopbackHost } from '../base/loopback-host.ts'
import { readClientRegistries } from './clients/client-registries.ts'
import type { Configuration, Notice, OwnService } from './configuration.ts'
import { API_TOKEN_FILE, NODE_FILE, SCHEMAS_DIR, SERVICES_FILE } from './constants.ts'
import { ENV_PREFIX, type Env, overridesFromEnv } from './env.ts'
import { dockerEnvironment } from './files/docker-environment.ts'
import { type NodeConfig, nodeSchema } from './files/node-schema.ts'
import { loadPolicy } from './files/policy.ts'
import { type ServicesConfig, servicesSchema } from './files/services-schema.ts'
import { isFolder } from './folders.ts'
import { exists, isWorldReadable, modeOf, octal, type ReadOptions, readJson } from './read.ts'
import { runtimeInit } from './runtime-dir.ts'
import { check, valueText } from './settings-error.ts'

export type LoadOptions = ReadOptions & { env?: Env | undefined }
export type Loaded = { readonly configuration: Configuration; readonly notices: readonly Notice[] }

/**
 * Reads an operator's folder. Every mistake in it is an InputError with one sentence. Secrets are not read here.
 * Of the environment, `THUNDERCLOUD_<KEY>` overrides node.json (lists are separated by commas).
 */
export async function loadConfiguration(dir: string, options: LoadOptions = {}): Promise<Loaded> {
  const root = resolve(dir)
  if (!(await exists(root))) throw new InputError(`${dir} is no folder; ${makeAdvice(dir)}`)

  const node = await readNode(dir, options)
  const services = await readServices(dir, options)
  const { file, ...runner } = await placeOfRunner(root, node, services)
  const { policy, notices } = await loadPolicy(runner.configFile, { ...options, file, network: node.NETWORK })

  const configuration: Configuration = {
    dir: root,
    network: node.NETWORK,
    visibility: node.VISIBILITY,
    listen: node.LISTEN,
    announce: node.ANNOUNCE,
    api: apiOf(root, node),
    peers: { low: node.PEERS.LOW },
    relay: node.RELAY,
    dataDir: resolve(root, node.DATA),
    runtime: runtimeInit(node.RUNTIME && resolve(root, node.RUNTIME), options.env ?? {}),
    dockerEnvironment: dockerEnvironment(options.env ?? {}),
    logLevel: node.LOG_LEVEL,
    metrics: node.METRICS,
    alerts: node.ALERTS,
    quotas: node.QUOTAS,
    timeouts: node.TIMEOUTS,
    services: await ownServices(root, services),
    externalServices: Object.entries(services.EXTERNAL_SERVICES).map(([id, { FROM }]) => ({ id, from: FROM })),
    runner,
    policy,
    clientRegistries: await readClientRegistries(options.env ?? {}),
  }
  await checkToken(root)
  return { configuration, notices: [...nodeNotices(node), ...notices] }
}

/** What a program needs that talks to the node of this folder: policy and services are not read, and may be wrong. */
export async function loadEndpoint(
  dir: string,
  options: LoadOptions = {},
): Promise<Pick<Configuration, 'dir' | 'network' | 'api' | 'dataDir'>> {
  const root = resolve(dir)
  const node = await readNode(dir, options)
  return { dir: root, network: node.NETWORK, api: apiOf(root, node), dataDir: resolve(root, node.DATA) }
}

/** Where the runner of a folder is, for a program that has another policy for it: its settings are not read, and may be wrong. */
export async function loadRunnerLocation(
  dir: string,
  options: LoadOptions = {},
): Promise<Pick<Configuration, 'dir' | 'network' | 'dataDir' | 'runner' | 'timeouts'> & { file: string }> {
  const root = resolve(dir)
  const node = await readNode(dir, options)
  const { file, ...runner } = await placeOfRunner(root, node, await readServices(dir, options))
  const { NETWORK: network, TIMEOUTS: timeouts } = node
  return { dir: root, network, dataDir: resolve(root, node.DATA), timeouts, runner, file }
}

/** Where the runners of a folder live, and the settings of the one that decides; none of them must be there. */
export async function loadRunnersFolder(
  dir: string,
  options: LoadOptions = {},
): Promise<{ dir: string; runners: string; configFile: string; schema: string }> {
  const root = resolve(dir)
  const node = await readNode(dir, options)
  const { RUNNER } = await readServices(dir, options)
  const runners = resolve(root, node.RUNNERS)
  const schema = join(root, SCHEMAS_DIR, 'runner.json')
  return { dir: root, runners, configFile: join(runners, dirname(RUNNER), 'config.json'), schema }
}

async function readNode(dir: string, options: LoadOptions): Promise<NodeConfig> {
  if ((await exists(dir)) && !(await isFolder(dir))) {
    throw new InputError(`${dir} is no folder; name the folder of a node`)
  }
  const raw = await readJson(join(resolve(dir), NODE_FILE), NODE_FILE, await adviceFor(dir), options)
  return checkNode(raw, options.env ?? {})
}

async function readServices(dir: string, options: LoadOptions): Promise<ServicesConfig> {
  const raw = await readJson(join(resolve(dir), SERVICES_FILE), SERVICES_FILE, await adviceFor(dir), options)
  return check(servicesSchema, raw, SERVICES_FILE)
}

/** `init` takes a new or an empty folder alone. */
async function adviceFor(dir: string): Promise<string> {
  const names = await readdir(dir).catch(() => [])
  return names.length === 0 ? makeAdvice(dir) : 'correct it, or copy one from a new folder made by `thundercloud init`'
}

function makeAdvice(dir: string): string {
  return `run \`thundercloud init ${dir}\` to make one`
}

/** `file`: how messages call its settings. */
async function placeOfRunner(
  root: string,
  { RUNNERS }: NodeConfig,
  { RUNNER, RUNNER_NETWORK }: ServicesConfig,
): Promise<Configuration['runner'] & { file: string }> {
  const entry = join(resolve(root, RUNNERS), RUNNER)
  await checkRunner(entry, RUNNER)
  const configFile = join(dirname(entry), 'config.json')
  return {
    entry,
    dir: dirname(entry),
    configFile,
    network: RUNNER_NETWORK,
    file: join(RUNNERS, dirname(RUNNER), 'config.json'),
  }
}

function checkNode(fromFile: unknown, env: Env): NodeConfig {
  // the file alone first: an override must not hide what is wrong in it
  check(nodeSchema, fromFile, NODE_FILE)
  const overrides = overridesFromEnv(env)
  for (const [key, value] of Object.entries(overrides)) {
    check(nodeSchema.shape[key as keyof typeof nodeSchema.shape], value, `${ENV_PREFIX}${key} in the environment`)
  }
  const node = check(nodeSchema, { ...(fromFile as object), ...overrides }, NODE_FILE)
  const listening = node.LISTEN.map((address) => Number(address.split('/')[4]))
  if (node.API !== false && node.API.port !== 0 && listening.includes(node.API.port)) {
    throw new InputError(
      `${NODE_FILE}: API contradicts LISTEN: both use port ${node.API.port}; give one of them another`,
    )
  }
  return node
}

async function checkRunner(entry: string, runner: string): Promise<void> {
  if ((await stat(entry).catch(() => undefined))?.isFile() === true) return
  throw new InputError(`${SERVICES_FILE}: RUNNER is ${valueText(runner)}, but there is no file ${entry}`)
}

async function ownServices(root: string, { SERVICES }: ServicesConfig): Promise<OwnService[]> {
  const services: OwnService[] = []
  for (const [name, { DIR, MANIFEST, PUBLISH }] of Object.entries(SERVICES)) {
    const kind = DIR === undefined ? 'manifest' : 'dir'
    const path = resolve(root, (DIR ?? MANIFEST) as string)
    const info = await stat(path).catch(() => undefined)
    if (kind === 'dir' ? info?.isDirectory() !== true : info?.isFile() !== true) {
      const key = kind === 'dir' ? 'DIR' : 'MANIFEST'
      const wanted = kind === 'dir' ? 'folder' : 'file'
      throw new InputError(
        `${SERVICES_FILE}: SERVICES.${name}.${key} is ${valueText(DIR ?? MANIFEST)}, but there is no ${wanted} ${path}`,
      )
    }
    services.push({ name, kind, path, publish: PUBLISH })
  }
  return services
}

function apiOf(root: string, { API, API_TLS }: NodeConfig): Configuration['api'] {
  if (API === false || API_TLS === undefined) return API
  return { ...API, tls: { cert: resolve(root, API_TLS.CERT), key: resolve(root, API_TLS.KEY) } }
}

function nodeNotices(node: NodeConfig): Notice[] {
  const notices: Notice[] = []
  const note = (key: string, message: string) =>
    notices.push({ file: NODE_FILE, key, message: `${NODE_FILE}: ${key} ${message}` })
  if (node.API !== false && node.API_TLS === undefined && !isLoopbackHost(node.API.host)) {
    note(
      'API',
      `is ${node.API.host}:${node.API.port}, which other machines reach without encryption; set API_TLS, or put a TLS proxy before it`,
    )
  }
  if (
    node.VISIBILITY === 'public' &&
    node.LISTEN.length > 0 &&
    node.LISTEN.every((address) => isLoopbackHost(address.split('/')[2] ?? ''))
  ) {
    note('LISTEN', 'has only addresses of this machine: no other machine of the public network can connect')
  }
  return notices
}

/** The token gives control of the node: as with keys, it is not used while others can read it. */
async function checkToken(root: string): Promise<void> {
  const path = join(root, API_TOKEN_FILE)
  const mode = await modeOf(path)
  if (mode === undefined || !isWorldReadable(mode)) return
  throw new InputError(
    `${API_TOKEN_FILE} can be read by others on this machine (mode ${octal(mode)}); run \`chmod 600 ${path}\``,
  )
}
