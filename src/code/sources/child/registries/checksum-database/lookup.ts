import type { ChecksumDatabase } from '../../../../../config/index.ts'
import { NotFoundError, UnusableSourceError } from '../../errors.ts'
import type { Http } from '../../http.ts'
import type { RegistrySource } from '../types.ts'
import { openNote } from './note.ts'
import { rootWith, TILE_HEIGHT, type Tile } from './tree.ts'

/** A record is a few lines; the note behind it, too. */
const MAX_ANSWER_BYTES = 64 * 1024
const TILE_BYTES = 2 ** TILE_HEIGHT * 32
const TREE = /^go\.sum database tree\n(\d{1,15})\n([A-Za-z0-9+/]{43}=)\n/

export type LookupInit = {
  readonly http: Http
  /** of the module proxy */
  readonly base: URL
  readonly database: ChecksumDatabase
  /** as in an address of the proxy */
  readonly escaped: string
}

/**
 * What a checksum database says that this version's zip holds: "h1:...". Where its key is known, its signature must hold, and
 * the record must be in the tree that it signed. Throws UnusableSourceError where it says nothing, or what cannot be.
 */
export async function lookUpModule(
  { name, version }: RegistrySource,
  { http, base, database, escaped }: LookupInit,
): Promise<string> {
  const root = await rootOf(http, base, database)
  const answer = await http.text(new URL(`lookup/${escaped}`, root), { maxBytes: MAX_ANSWER_BYTES }).catch((error) => {
    if (!(error instanceof NotFoundError)) throw error
    throw new UnusableSourceError(`the checksum database ${database.name} has no ${name} ${version}`, { cause: error })
  })
  const [, id = '', record = '', note = ''] = /^(\d{1,15})\n((?:[^\n]+\n)+)\n(.*)$/s.exec(answer) ?? []
  const hash = record.split('\n').find((line) => line.startsWith(`${name} ${version} h1:`))
  if (hash === undefined) {
    throw new UnusableSourceError(`the checksum database ${database.name} does not answer about ${name} ${version}`)
  }
  if (database.key !== undefined) await verify({ id: Number(id), record }, openNote(note, database.key))
  return hash.slice(`${name} ${version} `.length)

  async function verify(of: { id: number; record: string }, text: string): Promise<void> {
    const [, size = '', hash = ''] = TREE.exec(text) ?? []
    const found = await rootWith({ ...of, size: Number(size) }, (tile) => readTile(http, root, tile))
    if (found.equals(Buffer.from(hash, 'base64'))) return
    throw new UnusableSourceError(`the checksum database ${database.name} answers with what is not in its signed tree`)
  }
}

/** A proxy that says so answers for the database; else the database itself is asked. */
async function rootOf(http: Http, base: URL, { name, url }: ChecksumDatabase): Promise<URL> {
  const atProxy = new URL(`sumdb/${name}/`, base)
  try {
    await http.text(new URL('supported', atProxy), { maxBytes: MAX_ANSWER_BYTES })
    return atProxy
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error
    return new URL(url.replace(/\/*$/, '/'))
  }
}

async function readTile(http: Http, root: URL, tile: Tile): Promise<Uint8Array> {
  const whole = { ...tile, width: 2 ** TILE_HEIGHT }
  try {
    return await bytesAt(http, new URL(pathOf(tile), root))
  } catch (error) {
    // a partial tile goes when the whole one is there
    if (!(error instanceof NotFoundError) || tile.width === whole.width) throw error
    return await bytesAt(http, new URL(pathOf(whole), root))
  }
}

async function bytesAt(http: Http, url: URL): Promise<Uint8Array> {
  const { body } = await http.get(url, { maxBytes: TILE_BYTES })
  return Buffer.concat(await Array.fromAsync(body))
}

/** `tile/8/<level>/x001/x234/067`, and of one that is not full yet `.p/<width>`. */
function pathOf({ level, index, width }: Tile): string {
  const digits = String(index)
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? []
  const path = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/')
  return `tile/${TILE_HEIGHT}/${level}/${path}${width === 2 ** TILE_HEIGHT ? '' : `.p/${width}`}`
}
