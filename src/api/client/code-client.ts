import type { CheckedCode, CodeView, RemovedCode } from '../../node/types.ts'
import {
  type CodeList,
  checkedCodeSchema,
  codeListSchema,
  codeViewSchema,
  type FetchProgress,
  fetchProgressSchema,
  removedCodesSchema,
} from '../schemas/code.ts'
import type { RestClient } from './rest-client.ts'

type AbortOptions = { signal?: AbortSignal | undefined }

/** The code store of a node. `code`: a content id, or an unambiguous beginning of one with at least 8 characters. */
export interface CodeClient {
  /** What is in it, last used first. */
  list(options?: AbortOptions): Promise<CodeList>
  get(code: string, options?: AbortOptions): Promise<CodeView>
  /** Has the node fetch code that it does not have. */
  fetch(code: string, options?: AbortOptions & { onProgress?: (progress: FetchProgress) => void }): Promise<CodeView>
  /** The canonical tar. Throws NotFoundError where the node does not have it, or its disk has lost a part of it. */
  archive(code: string, options?: AbortOptions): AsyncIterable<Uint8Array>
  /** Removes what no service there needs; with `dryRun`, only says what that is. */
  gc(options?: AbortOptions & { dryRun?: boolean }): Promise<readonly RemovedCode[]>
  /** Has the node read its codes from the disk: all, or these. */
  verify(codes?: readonly string[], options?: AbortOptions): AsyncIterable<CheckedCode>
}

/** Reading a large store from a slow disk takes its time. */
const GC_TIMEOUT_MS = 120_000

export function createCodeClient({ ask, stream, download, parse }: RestClient): CodeClient {
  const at = (code: string, rest = '') => `/code/${encodeURIComponent(code)}${rest}`
  return {
    list: (options) => ask(codeListSchema, '/code', { ...options }),
    get: (code, options) => ask(codeViewSchema, at(code), { ...options }),
    async fetch(code, { signal, onProgress } = {}) {
      let view: CodeView | undefined
      for await (const { event, data } of stream(at(code, '/fetch'), { method: 'POST', signal })) {
        if (event === 'progress') onProgress?.(parse(fetchProgressSchema, data))
        if (event === 'end') view = parse(codeViewSchema, data)
      }
      return view ?? (await this.get(code, { signal }))
    },
    archive: (code, options = {}) => download(at(code, '/archive'), options),
    gc: async ({ dryRun = false, signal } = {}) =>
      (await ask(removedCodesSchema, `/code/gc?dryRun=${dryRun}`, { method: 'POST', signal }, GC_TIMEOUT_MS)).removed,
    async *verify(codes = [], { signal } = {}) {
      const query = codes.length === 0 ? '' : `?code=${encodeURIComponent(codes.join(','))}`
      for await (const { event, data } of stream(`/code/verify${query}`, { method: 'POST', signal })) {
        if (event === 'checked') yield parse(checkedCodeSchema, data)
      }
    },
  }
}
