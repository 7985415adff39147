import { pipe } from 'it-pipe'
import { listFolder } from './archive/list-folder.ts'
import { packEntries } from './archive/tar-write.ts'
import { createRetriever } from './retriever.ts'
import { createArchiveServer } from './serve/archive-server.ts'
import { createCodeSources } from './sources/sources.ts'
import { createCodeStore } from './store/store.ts'
import type { Code, CodeComponents, CodeInit } from './types.ts'

/**
 * Code on this node: packed, kept by content, served to peers, fetched from them, and unpacked for runs.
 *
 *     await using code = await createCode(components, { dir, maxBytes })
 *     await network.streams.handle(ARCHIVE_PROTOCOL, code.serve)
 *     const { code: id } = await code.addFolder('./my-service')
 *     using unpacked = await code.obtain(id, { signal })   // unpacked.dir
 */
export async function createCode(components: CodeComponents, init: CodeInit): Promise<Code> {
  const { clock, log, events, zstd, internet } = components
  const store = await createCodeStore(components, init)
  const sources =
    internet === undefined || init.storage === undefined
      ? undefined
      : createCodeSources(
          { clock, events, store, network: internet },
          { storage: init.storage, clientAccess: init.clientAccess },
        )
  const retriever = createRetriever({ ...components, store, sources }, init)
  const serve = createArchiveServer({ clock, log, events, store, zstd })
  return {
    store,
    serve,
    addTar: store.addTar,
    whyWaits: (code, author) => sources?.whyWaits(code, author),
    obtain: retriever.obtain,
    fetch: retriever.fetch,
    async addFolder(dir, options = {}) {
      const entries = await listFolder(dir, options)
      const added = await pipe(packEntries(entries, options), (tar) => store.addTar(tar, options))
      return { ...added, files: entries.length }
    },
    async [Symbol.asyncDispose]() {
      await retriever[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}
