import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import type { Notice, Policy } from '../configuration.ts'
import { sortStaticNodes } from '../network-fields.ts'
import { type ReadOptions, readText, textToJson } from '../read.ts'
import { check, keyText, SettingsError, valueText } from '../settings-error.ts'
import { memberErrors } from '../statements/members.ts'
import { LEGACY_RUNNER_KEYS, type RunnerConfig, runnerSchema } from './runner-schema.ts'
import { findToolchain } from './toolchains.ts'

export type LoadedPolicy = { readonly policy: Policy; readonly notices: readonly Notice[] }

/** `file` is how messages call it. Without `network`, proofs of possession are not checked. */
type PolicyOptions = ReadOptions & { file?: string; network?: string | undefined }

/** Reads a runner's config.json. */
export async function loadPolicy(path: string, options: PolicyOptions = {}): Promise<LoadedPolicy> {
  const file = options.file ?? basename(path)
  const advice = 'every runner has its settings in a config.json beside it; run `thundercloud init DIR` to see one'
  return readPolicyText(await readText(path, file, advice, options), file, options.network)
}

/** The text of a policy's file with its comments, to be written in place of another. */
export type PolicyDraft = LoadedPolicy & { readonly text: string }

/** Reads a file that may become a runner's config.json. */
export async function loadPolicyDraft(path: string, options: PolicyOptions = {}): Promise<PolicyDraft> {
  const file = options.file ?? basename(path)
  const text = await readText(
    path,
    file,
    "name a file with a runner's settings, like a copy of its config.json",
    options,
  )
  return readPolicyText(text, file, options.network)
}

/** Validates the text of a runner's config.json; with the network's name, the members' proofs of possession too. */
export function readPolicyText(text: string, file = 'config.json', network?: string): PolicyDraft {
  const { policy, notices } = readPolicy(textToJson(text, file), file, network)
  return { text, policy: { ...policy, text }, notices }
}

/** Validates a runner's configuration that is already in memory. */
export function readPolicy(raw: unknown, file = 'config.json', network?: string): LoadedPolicy {
  const config = check(runnerSchema, raw, file)
  const wrong = network === undefined ? undefined : memberErrors(config, network)
  if (wrong !== undefined) throw new SettingsError([`${file}: ${keyText(wrong.path)} ${wrong.problem}`])
  const { multiaddrs, origins } = sortStaticNodes(config.STATIC_NODES)
  const policy: Policy = {
    config,
    hash: createHash('sha256').update(canonicalJson(config)).digest('hex'),
    staticNodes: { multiaddrs, origins },
  }
  return { policy, notices: noticesOf(config, raw as object, file, network) }
}

function noticesOf(config: RunnerConfig, raw: object, file: string, network: string | undefined): Notice[] {
  const notices: Notice[] = []
  const note = (key: string, message: string) => notices.push({ file, key, message: `${file}: ${key} ${message}` })
  for (const node of sortStaticNodes(config.STATIC_NODES).unusable) {
    note('STATIC_NODES', `has ${valueText(node)}, which begins with neither http:// nor https://; it is left out`)
  }
  for (const key of LEGACY_RUNNER_KEYS) {
    if (Object.hasOwn(raw, key))
      note(key, 'is a name of older runners and has no effect; REDIRECT and STATIC_NODES took its place')
  }
  if (network === undefined && Object.values(config.TRUSTED_HUBS).some(({ MEMBERS }) => MEMBERS !== undefined)) {
    note('TRUSTED_HUBS', 'has MEMBERS whose proofs were not checked: no node.json says for which network')
  }
  const { docker, host } = config.PREFER_TOOLCHAIN
  if (docker.length + host.length === 0)
    note('PREFER_TOOLCHAIN', 'names no toolchain, so no service of others runs here')
  const unknown = [...new Set([...docker, ...host])].filter(
    (word) => word !== 'docker' && findToolchain(word) === undefined,
  )
  if (unknown.length > 0)
    note('PREFER_TOOLCHAIN', `has ${unknown.map(valueText).join(', ')}, which no executor here knows`)
  const { GATEWAYS, 'node.js': classes } = config.LIMITS.WARM
  const needed = classes.length > 0 ? [...docker, ...host].includes('node.js') : docker.length + host.length > 0
  if (GATEWAYS + classes.length > 0 && !needed)
    note('LIMITS', 'has WARM, but PREFER_TOOLCHAIN names no node.js, so nothing is kept warm')
  const { MEMORY, CPU, PIDS, RUNS } = config.LIMITS.TOTAL
  const zero = Object.entries({ MEMORY, CPU, PIDS, RUNS })
    .filter(([, value]) => value === 0)
    .map(([key]) => key)
  if (zero.length > 0) note('LIMITS', `grants no ${zero.map((key) => `TOTAL.${key}`).join(', ')}, so nothing runs here`)
  return notices
}

/** JSON with sorted keys: the same configuration has the same bytes, however it was spelled. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return item
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}
