import { MAX_ANNOUNCEMENT_BYTES } from '../../../protocols/limits.ts'
import { InputError } from '../../base/errors.ts'
import { formatBytes } from '../../base/format.ts'
import { IGNORE_FILE, type PackEntry, packEntries, sizeOfArchive } from '../../code/index.ts'

/** The archive itself, to travel in the announcement. What else the announcement has in it is not known yet. */
export async function inlineArchive(
  entries: readonly PackEntry[],
  options: { signal?: AbortSignal | undefined },
): Promise<Uint8Array> {
  if (entries.length === 0) {
    throw new InputError('--inline sends the code that is packed here, and here none is; publish it without --inline')
  }
  const { bytes } = sizeOfArchive(entries)
  if (bytes > MAX_ANNOUNCEMENT_BYTES) {
    throw new InputError(
      `--inline: the code has ${formatBytes(bytes)} as an archive, and an announcement at most ${formatBytes(MAX_ANNOUNCEMENT_BYTES)}; ` +
        `publish it without --inline, or leave files out with ${IGNORE_FILE}`,
    )
  }
  return Uint8Array.from(Buffer.concat(await Array.fromAsync(packEntries(entries, options))))
}
