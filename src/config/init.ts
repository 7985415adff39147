import { readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { errnoOf, InputError, systemMessageOf } from '../base/errors.ts'
import { isPidInUse } from '../base/os/process-identity.ts'
import { type Rng, systemRng } from '../base/rng.ts'
import { API_TOKEN_BYTES, API_TOKEN_FILE, IDENTITY_FILE, NODE_FILE, SCHEMAS_DIR, SERVICES_FILE } from './constants.ts'
import { type FileKind, jsonSchemaText } from './docs/json-schema.ts'
import { ANDROMEDA, SAMPLE_NODE, SAMPLE_RUNNER, SAMPLE_SERVICES } from './docs/templates.ts'
import { nodeSchema } from './files/node-schema.ts'
import { runnerSchema } from './files/runner-schema.ts'
import { servicesSchema } from './files/services-schema.ts'
import { makeFolder } from './folders.ts'
import { keyOfPem, newKeyPem, writeSecret } from './keys/key-file.ts'
import { check } from './settings-error.ts'

export type InitOptions = {
  /** keys of node.json that override the sample's */
  readonly node?: Readonly<Record<string, unknown>> | undefined
  /** keys of services.json that override the sample's */
  readonly services?: Readonly<Record<string, unknown>> | undefined
  /** keys of Andromeda's config.json that override the sample's */
  readonly runner?: Readonly<Record<string, unknown>> | undefined
  /** PKCS#8 PEM of the identity; default: a new key */
  readonly identity?: string | undefined
  /** where the API token comes from; default: the system's chance */
  readonly rng?: Rng | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Makes an operator's folder. It is written beside its place and moved there in one step: the folder is whole or not
 * there. Throws an InputError where `dir` is not empty, cannot be written, or an option is wrong.
 */
export async function initFolder(dir: string, options: InitOptions = {}): Promise<void> {
  const target = resolve(dir)
  const files = filesOf(options)
  const rng = options.rng ?? systemRng()
  const secrets = {
    [IDENTITY_FILE]: options.identity ?? newKeyPem(),
    [API_TOKEN_FILE]: `${Buffer.from(rng.bytes(API_TOKEN_BYTES)).toString('base64url')}\n`,
  }
  keyOfPem(secrets[IDENTITY_FILE] as string, IDENTITY_FILE)
  await refuseUnlessEmpty(dir, target)
  const temporary = join(dirname(target), `.${basename(target)}.init-${process.pid}-${rng.uuid()}`)
  try {
    await sweep(target)
    for (const [name, text] of Object.entries(files)) {
      options.signal?.throwIfAborted()
      await makeFolder(dirname(join(temporary, name)))
      await writeFile(join(temporary, name), text, { flag: 'wx' })
    }
    for (const [name, text] of Object.entries(secrets)) await writeSecret(join(temporary, name), text)
    options.signal?.throwIfAborted()
    await moveInto(temporary, target, dir)
  } catch (error) {
    if (error instanceof InputError || errnoOf(error) === undefined) throw error
    throw new InputError(`${dir} cannot be written: ${systemMessageOf(error)}`, { cause: error })
  } finally {
    // after the move there is nothing left under this name
    await rm(temporary, { recursive: true, force: true }).catch(() => {})
  }
}

function filesOf(options: InitOptions): Record<string, string> {
  const node = { ...SAMPLE_NODE, ...options.node }
  const services = { ...SAMPLE_SERVICES, ...options.services }
  const runner = { ...SAMPLE_RUNNER, ...options.runner }
  const runnerFile = 'runners/andromeda/config.json'
  check(nodeSchema, node, NODE_FILE)
  check(servicesSchema, services, SERVICES_FILE)
  check(runnerSchema, runner, runnerFile)
  return {
    [NODE_FILE]: withSchema('node', '.', node),
    [SERVICES_FILE]: withSchema('services', '.', services),
    [runnerFile]: withSchema('runner', '../..', runner),
    'runners/andromeda/runner.js': ANDROMEDA,
    // the folder may lie in a project of npm's, which says that its files are CommonJS
    'runners/andromeda/package.json': `${JSON.stringify({ private: true, type: 'module' }, null, 2)}\n`,
    ...Object.fromEntries(
      (['node', 'services', 'runner', 'hub', 'manifest'] as const).map((kind) => [
        `${SCHEMAS_DIR}/${kind}.json`,
        jsonSchemaText(kind),
      ]),
    ),
  }
}

function withSchema(kind: FileKind, root: string, content: object): string {
  return `${JSON.stringify({ $schema: `${root}/${SCHEMAS_DIR}/${kind}.json`, ...content }, null, 2)}\n`
}

async function refuseUnlessEmpty(dir: string, target: string): Promise<void> {
  const entries = await readdir(target).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return []
    if (errnoOf(error) === 'ENOTDIR')
      throw new InputError(`${dir} is a file; name a new or an empty folder`, { cause: error })
    throw new InputError(`${dir} cannot be read: ${systemMessageOf(error)}`, { cause: error })
  })
  if (entries.length > 0) throw notEmpty(dir)
}

function notEmpty(dir: string, cause?: unknown): InputError {
  return new InputError(`${dir} is not empty; name a new or an empty folder`, { cause })
}

/** Moves the folder over nothing, or over an empty folder, which some systems want gone first. */
async function moveInto(temporary: string, target: string, dir: string): Promise<void> {
  try {
    if (process.platform === 'win32') await rmdir(target).catch(() => {})
    await rename(temporary, target)
  } catch (error) {
    const taken = ['ENOTEMPTY', 'EEXIST'].includes(errnoOf(error) ?? '')
    throw taken ? notEmpty(dir, error) : error
  }
}

/** Removes what an `init` that was killed left beside the folder. */
async function sweep(target: string): Promise<void> {
  const parent = dirname(target)
  await makeFolder(parent)
  const prefix = `.${basename(target)}.init-`
  for (const name of await readdir(parent)) {
    const pid = Number(name.slice(prefix.length).split('-')[0])
    if (!name.startsWith(prefix) || !Number.isSafeInteger(pid) || isPidInUse(pid)) continue
    await rm(join(parent, name), { recursive: true, force: true })
  }
}
