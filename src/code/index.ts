import { startCode } from './code.ts'
import type { Code, CodeComponents, CodeInit } from './contract.ts'

export type {
  Code,
  CodeComponents,
  CodeInit,
  ObtainedCode,
  ObtainOptions,
} from './contract.ts'

export type { CodeEvents } from './events.ts'
export { listFolder } from './folder.ts'
export { IGNORE_FILE } from './ignore.ts'
export { limitsWithin } from './limits.ts'
export { resolveLink } from './links.ts'
export { surveyStore } from './survey.ts'
export type { TarLink as CodeLink } from './tar-format.ts'
export { type PackEntry, packEntries, sizeOfArchive } from './tar-write.ts'

/**
 * Code on this node: packed, kept by content, served to peers, fetched from them, and unpacked for runs.
 *
 *     await using code = await createCode(components, { dir, maxBytes })
 *     await network.streams.handle(ARCHIVE_PROTOCOL, code.serve)
 *     const { code: id } = await code.addFolder('./my-service')
 *     using unpacked = await code.obtain(id, { signal })   // unpacked.dir
 */
export function createCode(components: CodeComponents, init: CodeInit): Promise<Code> {
  return startCode(components, init)
}
