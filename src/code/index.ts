export { gitDifferences } from './archive/git-differences.ts'
export { identify } from './archive/identify.ts'
export { IGNORE_FILE } from './archive/ignore.ts'
export { archiveLimitsFor } from './archive/limits.ts'
export { resolveLink } from './archive/links.ts'
export { listFolder } from './archive/list-folder.ts'
export type { TarLink as CodeLink } from './archive/tar-format.ts'
export { type PackEntry, packEntries, sizeOfArchive } from './archive/tar-write.ts'
export { createCode } from './code.ts'
export { BadArchiveError, InUseError, TooLargeError } from './errors.ts'
export type { CodeEvents } from './events.ts'
export { openPackedOutputs } from './outputs/open-packed-outputs.ts'
export { type PackedOutputs, packOutputs } from './outputs/pack-outputs.ts'
export { type CodeRepair, createCodeRepair } from './repair.ts'
export { saveArchive } from './save-archive.ts'
export { createStreamSlots, type StreamSlot } from './serve/stream-slots.ts'
export { describeSource } from './sources/describe-source.ts'
export { findImage } from './sources/find-image.ts'
export { type NamedRegistries, type NamedSource, type ReadSource, readSource } from './sources/read-source.ts'
export { inspectStore } from './store/inspect.ts'
export type {
  ChunkReader,
  Code,
  CodeComponents,
  CodeProvenance,
  RetrievedCode,
  RetrieveOptions,
} from './types.ts'
export { verifyStoredCode } from './verify-after-start.ts'
