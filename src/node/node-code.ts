import { type CID, isImageCid, parseCid } from '../../protocols/encoding.ts'
import { chunkLength } from '../../protocols/streams/archive.ts'
import { decodeInput } from '../base/decode-input.ts'
import { InputError, NotFoundError } from '../base/errors.ts'
import { joinWords, sanitizeText } from '../base/format.ts'
import { type Code, type CodeRepair, InUseError, type RetrieveOptions } from '../code/index.ts'
import { provenanceView } from '../services/code-origins.ts'
import type { ServiceSummary, Services } from '../services/registry.ts'
import type { ProvenanceView, ServiceState } from '../services/types.ts'

/** One code as this node has it. Times are whole seconds (UTC). */
export type CodeView = {
  /** its content id */
  readonly code: string
  /**
   * absent: services that are known here name it, and it is not in the store; partial: a fetch was interrupted, or goes on;
   * damaged: the disk has lost some of it while it was in use, and it is fetched again
   */
  readonly state: 'complete' | 'damaged' | 'partial' | 'absent'
  /** Where it is damaged: what the disk has lost, in one sentence. */
  readonly why?: string | undefined
  readonly repair?: CodeRepairView | undefined
  /** of the archive; undefined where it is absent */
  readonly bytes?: number | undefined
  readonly unpacked: boolean
  readonly usedAt?: number | undefined
  /** `gc` leaves it: it is in use, or one of `services` needs it. What is only parked may still be evicted for space. */
  readonly kept: boolean
  readonly provenance?: ProvenanceView | undefined
  /** Services that are known here with this code: those that need it first. */
  readonly services: readonly CodeUse[]
}

export type CodeUse = {
  readonly id: string
  readonly name: string
  readonly author: string
  readonly state: ServiceState
  /** It was published here, runs, is about to, or waits for it. */
  readonly needed: boolean
}

/** What the store of a node holds, and may hold. `files`: also folders and links. */
export type CodeUsage = {
  readonly bytes: number
  readonly maxBytes: number
  readonly files: number
  readonly maxFiles: number
}

export type RemovedCode = { readonly code: string; readonly bytes: number }

/** How it goes with damaged code: it is being fetched again, or waits for its turn or until `nextAt` (UTC). */
export type CodeRepairView = {
  readonly state: 'fetching' | 'waiting'
  /** why the last attempt failed */
  readonly problem?: string | undefined
  readonly nextAt?: number | undefined
}

/** `damaged`: it is in use, so it stays, is not served, and is fetched again. */
export type CheckedCode = {
  readonly code: string
  readonly bytes: number
  readonly state: 'ok' | 'removed' | 'damaged'
  readonly why?: string | undefined
  readonly repair?: CodeRepairView | undefined
}

/**
 * The code store as operators see it. `code` is a content id, or an unambiguous beginning of one with at least 8
 * characters. Methods that take one throw InputError where it is neither, and NotFoundError where it is unknown here.
 */
export interface NodeCode {
  /** What is in the store, last used first. */
  list(): { readonly codes: readonly CodeView[]; readonly usage: CodeUsage }
  /** One of these, or one that only services name. */
  get(code: string): CodeView
  /** Fetches code that is not here: from the mesh, then from the sources of the services that name it. Throws UnavailableError after a minute. */
  fetch(
    code: string,
    options?: { readonly signal?: AbortSignal | undefined } & {
      onProgress?: (progress: { bytes: number; size: number }) => void
    },
  ): Promise<CodeView>
  /** The canonical tar, once it is verified. It is not removed meanwhile. Throws NotFoundError where the disk has lost a part of it. */
  read(code: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<AsyncIterable<Uint8Array>>
  /** Removes all that is not kept; with `dryRun`, only says what that is. */
  gc(options?: { dryRun?: boolean }): Promise<readonly RemovedCode[]>
  /** Reads complete code from the disk, each byte of it; what is damaged is removed, or fetched again where it is in use. All of it, or these. */
  verify(codes?: readonly string[], options?: { readonly signal?: AbortSignal | undefined }): AsyncIterable<CheckedCode>
}

export interface NodeCodeComponents {
  code: Pick<Code, 'store' | 'fetch'>
  repair: Pick<CodeRepair, 'of'>
  services: Pick<Services, 'get' | 'idsByCode' | 'view'>
  /** Where the code of a service may be found: its sources, and peers that are likely to have it. */
  findSources(service: string, options: { signal?: AbortSignal | undefined }): Promise<RetrieveOptions>
}

type StoredCode = ReturnType<Code['store']['list']>[number]

/** Shorter beginnings of an id are taken for a slip. */
/** Of a content id as it is shown, and shorter than one. */
const BEGINNING = /^baf[a-z2-7]{5,55}$/
const MIN_PREFIX = 8
/** Ids that an ambiguous beginning is answered with. */
const MAX_CANDIDATES = 4
/** A person waits for the code. */
const FETCH_PATIENCE_MS = 60_000

/** A service in one of these states has no use for its code, here and now. */
const IDLE: ReadonlySet<ServiceState> = new Set(['refused', 'redirected', 'done', 'failed', 'stopped', 'expired'])

/** The code store with what the node knows of its services. */
export function createNodeCode({ code, repair, services, findSources }: NodeCodeComponents): NodeCode {
  const { store } = code

  function usesOf(ids: readonly string[] = []): CodeUse[] {
    const entries = ids.map(services.get).filter((entry) => entry !== undefined)
    const uses = entries.map((entry) => useOf(services.view(entry)))
    return uses.sort((a, b) => Number(b.needed) - Number(a.needed))
  }

  function list(): CodeView[] {
    const ids = services.idsByCode()
    return store
      .list()
      .sort((a, b) => b.usedAt - a.usedAt)
      .map((stored) => viewOf(stored, repairOf(stored), usesOf(ids.get(stored.code.toString()))))
  }

  function repairOf({ code }: Pick<StoredCode, 'code'>): CodeRepairView | undefined {
    const view = repair.of(code.toString())
    if (view === undefined) return undefined
    const { state, problem, nextAt } = view
    return { state, problem, nextAt: nextAt === undefined ? undefined : Math.ceil(nextAt / 1000) }
  }

  /** The content id that is meant. */
  function resolve(text: string, known: Iterable<string>): CID {
    const found = [...new Set(known)].filter((id) => text.length >= MIN_PREFIX && id.startsWith(text))
    if (found.length > 1 && !found.includes(text)) {
      const named = joinWords(found.slice(0, MAX_CANDIDATES), 'or')
      throw new InputError(`"${sanitizeText(text, 80)}" begins more than one content id: ${named}; write more of it`)
    }
    const [one] = found
    if (one === undefined && BEGINNING.test(text)) {
      throw new NotFoundError(
        `no code that this node has or knows of begins with "${text}"; \`thundercloud code ls\` lists it`,
      )
    }
    return decodeInput(() => parseCid(one === undefined || found.includes(text) ? text : one))
  }

  function find(text: string): CodeView {
    const ids = services.idsByCode()
    const stored = store.list()
    const id = resolve(text, [...stored.map((each) => each.code.toString()), ...ids.keys()])
    const here = stored.find((each) => each.code.equals(id))
    const ofCode = usesOf(ids.get(id.toString()))
    if (here !== undefined) return viewOf(here, repairOf(here), ofCode)
    if (ofCode.length === 0) throw new NotFoundError(`the code ${id} is not in the store, and no service here names it`)
    return { code: id.toString(), state: 'absent', unpacked: false, kept: false, services: ofCode }
  }

  /** Like `find`, where the code has to be here. */
  function complete(text: string): CID {
    const { code: id, state } = find(text)
    if (state === 'complete' || state === 'damaged') return parseCid(id)
    throw new NotFoundError(`the code ${id} is not in the store; \`thundercloud code get ${id}\` fetches it`)
  }

  return {
    list: () => {
      const { bytes, maxBytes, files, maxFiles } = store.usage()
      return { codes: list(), usage: { bytes, maxBytes, files, maxFiles } }
    },
    get: find,
    async fetch(text, { signal, onProgress } = {}) {
      const ids = services.idsByCode()
      const id = resolve(text, [...store.list().map((each) => each.code.toString()), ...ids.keys()])
      const [service] = usesOf(ids.get(id.toString()))
      const sources = service === undefined ? {} : await findSources(service.id, { signal })
      await code.fetch(id, { ...sources, signal, onProgress, patienceMs: FETCH_PATIENCE_MS })
      return find(id.toString())
    },
    async read(text, { signal } = {}) {
      const id = complete(text)
      if (isImageCid(id)) throw new InputError(`the code ${id} is an image, which has no tar of its own`)
      for await (const { state } of store.verify({ signal, only: new Set([id.toString()]) })) {
        if (state === 'ok') return chunksOf(id, signal)
        const then =
          state === 'removed'
            ? `; \`thundercloud code get ${id}\` fetches it again`
            : '; services use it still, and it is fetched again'
        throw new NotFoundError(`the disk of the node has lost a part of the code ${id}${then}`)
      }
      throw new NotFoundError(`the code ${id} is no longer in the store`)
    },
    async gc({ dryRun = false } = {}) {
      const removed: RemovedCode[] = []
      for (const { code: id, bytes = 0, kept } of list()) {
        if (kept) continue
        if (dryRun || (await remove(parseCid(id)))) removed.push({ code: id, bytes })
      }
      return removed
    },
    async *verify(codes = [], { signal } = {}) {
      const only = codes.length === 0 ? undefined : new Set(codes.map((text) => complete(text).toString()))
      for await (const { code: id, ...checked } of store.verify({ signal, only })) {
        yield { code: id.toString(), ...checked, repair: repairOf({ code: id }) }
      }
    },
  }

  /** It stays in the store meanwhile. */
  async function* chunksOf(id: CID, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    using _pin = store.pin(id)
    await using reader = await store.open(id)
    if (reader === undefined) return
    for (const index of reader.manifest.chunks.keys()) {
      signal?.throwIfAborted()
      const chunk = new Uint8Array(chunkLength(reader.manifest, index))
      if (await reader.read(index, chunk)) yield chunk
    }
  }

  /** False where it has come into use meanwhile. */
  async function remove(id: CID): Promise<boolean> {
    try {
      await store.remove(id)
      return true
    } catch (error) {
      if (error instanceof InUseError) return false
      throw error
    }
  }
}

function viewOf(stored: StoredCode, repair: CodeRepairView | undefined, services: CodeUse[]) {
  const { code, size, complete, damaged, pinned, unpacked, usedAt, provenance } = stored
  return {
    code: code.toString(),
    state: damaged !== undefined ? 'damaged' : complete ? 'complete' : 'partial',
    why: damaged,
    repair,
    bytes: size,
    unpacked,
    usedAt: Math.floor(usedAt / 1000),
    kept: pinned || services.some(({ needed }) => needed),
    provenance: provenance && provenanceView(provenance),
    services,
  } as const
}

function useOf({ id, name, author, state }: ServiceSummary): CodeUse {
  return { id, name, author, state, needed: !IDLE.has(state) }
}
