import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { createEvents } from '../../../src/base/events.ts'
import { silentLog } from '../../../src/base/log.ts'
import type { MessageStream, StreamOpener } from '../../../src/base/stream.ts'
import { listFolder } from '../../../src/code/archive/list-folder.ts'
import { comparePaths } from '../../../src/code/archive/tar-format.ts'
import { type PackEntry, packEntries } from '../../../src/code/archive/tar-write.ts'
import type { CodeEvents } from '../../../src/code/events.ts'
import { createArchiveServer } from '../../../src/code/serve/archive-server.ts'
import { createCodeStore } from '../../../src/code/store/store.ts'
import type { CodeStore } from '../../../src/code/types.ts'
import { streamPair } from '../../fixtures/mesh/stream-pair.ts'

export const MIB = 1024 * 1024

/** Removed when the test is over that asked for it. */
export async function tempDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'thundercloud-code-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  return dir
}

export function testComponents() {
  const events = createEvents<CodeEvents>()
  const seen: [string, unknown][] = []
  events.onAny((name, detail) => void seen.push([name, detail]))
  return { clock: systemClock(), log: silentLog(), events, seen }
}

export async function testStore(init: { dir?: string; maxBytes?: number } = {}) {
  const components = testComponents()
  const dir = init.dir ?? (await tempDir())
  const store = await createCodeStore(components, { dir, maxBytes: init.maxBytes ?? 1024 * MIB })
  return { ...components, dir, store }
}

export type FileSpec = { path: string; content: string | Uint8Array; executable?: boolean }

export function entriesOf(files: FileSpec[]): PackEntry[] {
  return files.map(({ path, content, executable = false }) => {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content
    return { path, executable, size: bytes.byteLength, open: () => [bytes] }
  })
}

export function packFiles(files: FileSpec[]): AsyncIterable<Uint8Array> {
  return packEntries(entriesOf(files))
}

export async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const piece of pieces) all.push(piece)
  return Buffer.concat(all)
}

/** Bytes that nothing compresses, the same for the same seed. */
export function noise(bytes: number, seed = 1): Uint8Array {
  const words = new Uint32Array(Math.ceil(bytes / 4))
  let state = seed >>> 0 || 1
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[index] = state
  }
  return new Uint8Array(words.buffer, 0, bytes)
}

export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

export type Behaviour = (stream: MessageStream) => Promise<void>

/** A mesh in memory: each peer is what it does with an archive stream. */
export function testMesh(peers: Record<string, Behaviour | CodeStore>): StreamOpener & { opened: string[] } {
  const opened: string[] = []
  const behaviours = new Map<string, Behaviour>()
  for (const [peer, what] of Object.entries(peers)) {
    behaviours.set(peer, typeof what === 'function' ? what : createArchiveServer({ ...testComponents(), store: what }))
  }
  return {
    opened,
    async open(peer) {
      opened.push(peer)
      const behaviour = behaviours.get(peer)
      if (behaviour === undefined) throw new Error(`no such peer: ${peer}`)
      const [mine, theirs] = streamPair('me', peer)
      behaviour(theirs).catch((error) => theirs.abort(error))
      return mine
    },
  }
}

export async function writeFiles(dir: string, files: Record<string, string | Uint8Array>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true })
    await writeFile(join(dir, path), content)
  }
}

/** What is packed of a folder. */
export const packedPaths = async (dir: string) => (await listFolder(dir)).map(({ path }) => path).sort(comparePaths)
