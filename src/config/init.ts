import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Rng, systemRng } from '../base/rng.ts'
import { API_TOKEN_BYTES, API_TOKEN_FILE, IDENTITY_FILE, NODE_FILE, SCHEMAS_DIR, SERVICES_FILE } from './constants.ts'
import { createFolder } from './create-folder.ts'
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

/** Makes an operator's folder, as `createFolder` does. Throws an InputError where an option is wrong, too. */
export async function initFolder(dir: string, options: InitOptions = {}): Promise<void> {
  const files = filesOf(options)
  const rng = options.rng ?? systemRng()
  const secrets = { [IDENTITY_FILE]: options.identity ?? newKeyPem(), [API_TOKEN_FILE]: newToken(rng) }
  keyOfPem(secrets[IDENTITY_FILE] as string, IDENTITY_FILE)
  await createFolder(dir, options, async (folder) => {
    for (const [name, text] of Object.entries(files)) {
      options.signal?.throwIfAborted()
      await makeFolder(dirname(join(folder, name)))
      await writeFile(join(folder, name), text, { flag: 'wx' })
    }
    for (const [name, text] of Object.entries(secrets)) await writeSecret(join(folder, name), text)
  })
}

/** What an operator proves with to be one, as a file has it. */
export function newToken(rng: Pick<Rng, 'bytes'>): string {
  return `${Buffer.from(rng.bytes(API_TOKEN_BYTES)).toString('base64url')}\n`
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
