import type { KeyObject } from 'node:crypto'
import { rename, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { z } from 'zod'
import { formatAddress } from '../../protocols/address.ts'
import type { Signer } from '../../protocols/signature.ts'
import { InputError } from '../base/errors.ts'
import { defaultKeyPath, exists, loadOrCreateKey, readBytes } from '../config/index.ts'
import type { Cli } from './cli.ts'
import { text } from './command.ts'

export const keyOption = text(
  'FILE',
  "the author's key, PKCS#8 PEM (default: in your settings folder, made on first use)",
)

export type Author = {
  readonly signer: Signer
  readonly key: KeyObject
  readonly address: string
  readonly keyPath: string
}

/** The author's key; made on first use, and then said so. */
export async function loadAuthor(
  cli: Pick<Cli, 'env' | 'cwd' | 'out' | 'signal'>,
  key: string | undefined,
): Promise<Author> {
  const { created, ...author } = await createAuthor(cli, key)
  if (created)
    cli.out.note(`A new key was made for you: ${author.keyPath}. Whoever has it can change and stop what you publish.`)
  return author
}

/** The same, and whether it was made now. */
export async function createAuthor(
  cli: Pick<Cli, 'env' | 'cwd' | 'signal'>,
  key: string | undefined,
): Promise<Author & { readonly created: boolean }> {
  const keyPath = keyPathOf(cli, key)
  const loaded = await loadOrCreateKey(keyPath, {
    signal: cli.signal,
    file: key === undefined ? undefined : `--key ${key}`,
  })
  return { ...loaded, address: formatAddress(loaded.signer.address), keyPath }
}

/** The existing key: using a service needs none. A file that was named must exist. */
export async function findAuthor(
  cli: Pick<Cli, 'env' | 'cwd' | 'out' | 'signal'>,
  key: string | undefined,
): Promise<Author | undefined> {
  if (await exists(keyPathOf(cli, key))) return loadAuthor(cli, key)
  if (key !== undefined)
    throw new InputError(`--key ${key} is not there; \`thundercloud key new --key ${key}\` makes it`)
  return undefined
}

function keyPathOf({ env, cwd }: Pick<Cli, 'env' | 'cwd'>, key: string | undefined): string {
  return key === undefined ? defaultKeyPath(env) : resolve(cwd, key)
}

const entrySchema = z.object({
  seq: z.int().min(0),
  id: z.string(),
  code: z.string(),
  /** whole seconds (UTC) */
  expires: z.int(),
  ports: z.array(z.string()),
  /** draft: signed, and perhaps delivered to no peer */
  state: z.enum(['draft', 'announced', 'stopped']),
  /** peer ids of nodes that reported a run of it, where it was published without a node */
  ran: z.array(z.string()).optional(),
  /** versions before, newest first: one of them may run on while an update fails */
  before: z.array(z.object({ seq: z.int().min(0), id: z.string(), ran: z.array(z.string()).optional() })).optional(),
})
const indexSchema = z.record(z.string(), z.record(z.string(), z.record(z.string(), entrySchema)))

/** What was published last under a name. */
export type PublishedEntry = z.output<typeof entrySchema>

/** Versions before that are remembered. */
const MAX_BEFORE = 7
/** Some thousands of names, each with the versions before. */
const MAX_INDEX_BYTES = 32 * 1024 ** 2

/** What one author published in one network from this machine, in `published.json` beside the key. */
export interface PublishedIndex {
  get(name: string): PublishedEntry | undefined
  /** By name, whole id, or an unambiguous beginning of one. */
  find(service: string): ({ readonly name: string } & PublishedEntry) | undefined
  put(name: string, entry: PublishedEntry): Promise<void>
}

const MIN_BEGINNING = 8

export async function openPublishedIndex({ keyPath, address }: Author, network: string): Promise<PublishedIndex> {
  const path = join(dirname(keyPath), 'published.json')
  const mine = async () => (await readIndex(path))[network]?.[address] ?? {}
  let entries = await mine()
  return {
    get: (name) => (Object.hasOwn(entries, name) ? entries[name] : undefined),
    find(service) {
      const all = Object.entries(entries).flatMap(([name, { before = [], ...entry }]) => [
        { name, ...entry, before },
        ...before.map((older) => ({ name, ...entry, ...older, before: [] })),
      ])
      const begun = all.filter(({ id }) => service.length >= MIN_BEGINNING && id.startsWith(service))
      return (
        all.find(({ name, id }) => name === service || id === service) ?? (begun.length === 1 ? begun[0] : undefined)
      )
    },
    async put(name, entry) {
      // read again: another command may have written since
      const index = await readIndex(path)
      const known = index[network]?.[address]
      const before = versionsBefore(known !== undefined && Object.hasOwn(known, name) ? known[name] : undefined, entry)
      index[network] = { ...index[network], [address]: { ...known, [name]: { ...entry, before } } }
      const draft = `${path}.${process.pid}`
      await writeFile(draft, `${JSON.stringify(index, null, 2)}\n`, { mode: 0o600, flush: true })
      await rename(draft, path)
      entries = index[network][address] ?? {}
    },
  }
}

/** What the key has published from this machine and nobody has stopped, in all networks. */
export async function livePublications(
  { keyPath, address }: Author,
  nowSeconds: number,
): Promise<{ network: string; name: string }[]> {
  const index = await readIndex(join(dirname(keyPath), 'published.json'))
  return Object.entries(index).flatMap(([network, authors]) =>
    Object.entries(Object.hasOwn(authors, address) ? (authors[address] ?? {}) : {})
      .filter(([, { state, expires }]) => state !== 'stopped' && expires > nowSeconds)
      .map(([name]) => ({ network, name })),
  )
}

function versionsBefore(last: PublishedEntry | undefined, next: PublishedEntry): PublishedEntry['before'] {
  if (last === undefined || last.id === next.id) return last?.before
  const { seq, id, ran, before = [] } = last
  return [{ seq, id, ran }, ...before].slice(0, MAX_BEFORE)
}

async function readIndex(path: string): Promise<z.output<typeof indexSchema>> {
  if (!(await exists(path))) return {}
  const file = `${path} (what you published)`
  const advice = 'remove it, and give `update` the next number with --seq'
  const maxBytes = MAX_INDEX_BYTES
  try {
    return indexSchema.parse(JSON.parse(new TextDecoder().decode(await readBytes(path, { file, advice, maxBytes }))))
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError(`${file} is damaged; ${advice}`, { cause: error })
  }
}
