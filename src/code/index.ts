import { startCode } from './code.ts'
import type { Code, CodeComponents, CodeInit } from './types.ts'

export { IGNORE_FILE } from './archive/ignore.ts'
export { limitsWithin } from './archive/limits.ts'
export { resolveLink } from './archive/links.ts'
export { listFolder } from './archive/list-folder.ts'
export type { TarLink as CodeLink } from './archive/tar-format.ts'
export { type PackEntry, packEntries, sizeOfArchive } from './archive/tar-write.ts'
export type { CodeEvents } from './events.ts'
export { surveyStore } from './store/survey.ts'
export type {
  Code,
  CodeComponents,
  CodeInit,
  ObtainedCode,
  ObtainOptions,
} from './types.ts'

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
