import { type CID, cidOfBytes } from '../../../protocols/encoding.ts'
import type { Clock } from '../../base/clock.ts'
import type { PartialImage } from '../images/types.ts'
import type { CodeStore } from '../types.ts'
import { type BlobPicker, createBlobPicker } from './blob-picker.ts'
import { pullBlobs } from './pull-blobs.ts'
import type { Transfer } from './transfer.ts'

export type ImageTransferComponents = { readonly clock: Clock; readonly store: Pick<CodeStore, 'images'> }

/** An image comes blob by blob, each whole from one provider. */
export function imageTransfer(
  { clock, store: { images } }: ImageTransferComponents,
  code: CID,
): Transfer<PartialImage, BlobPicker> {
  return {
    noun: 'image',
    isManifest: (bytes) => cidOfBytes(bytes).equals(code),
    resume: async () => images.resume(code),
    begin: (manifest) => images.begin(code, manifest),
    createPicker: (partial) => createBlobPicker(clock, partial.missing()),
    pull: (provider, progress) => pullBlobs(provider, progress, code),
  }
}
