import { pipe } from 'it-pipe'
import { listFolder } from './archive/list-folder.ts'
import { packEntries } from './archive/tar-write.ts'
import { createObtainer } from './retriever.ts'
import { createArchiveServer } from './serve/archive-server.ts'
import { createCodeStore } from './store/store.ts'
import type { Code, CodeComponents, CodeInit } from './types.ts'

export async function startCode(components: CodeComponents, init: CodeInit): Promise<Code> {
  const store = await createCodeStore(components, init)
  const obtainer = createObtainer({ ...components, store }, init)
  const serve = createArchiveServer({ ...components, store })
  return {
    store,
    serve,
    addTar: store.addTar,
    obtain: obtainer.obtain,
    fetch: obtainer.fetch,
    async addFolder(dir, options = {}) {
      const entries = await listFolder(dir, options)
      const added = await pipe(packEntries(entries, options), (tar) => store.addTar(tar, options))
      return { ...added, files: entries.length }
    },
    async [Symbol.asyncDispose]() {
      await obtainer[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}
