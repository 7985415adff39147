import type { CID } from '../../../protocols/encoding.ts'
import type { AbortOptions, Arrival, CodeProvenance, StoredCode, VerifiedCode } from '../stored-code.ts'
import type { ImageBlob, ImageManifest } from './image-manifest.ts'

/** Images of the code store: each is a manifest, named by its raw content id, and the blobs that it names. */
export interface ImageStore {
  /** All of it is here. */
  has(code: CID): boolean
  /** What the disk has lost of an image that is in use, in one sentence. Its blobs that are right stay. */
  damage(code: CID): string | undefined
  list(): StoredCode[]
  provenance(code: CID): CodeProvenance | undefined
  /** What is here of an image, in whole or in part. */
  open(code: CID): ImageReader | undefined
  /** What a fetch has left; undefined where nothing is here. One writer at a time: throws InUseError. */
  resume(code: CID): PartialImage | undefined
  /**
   * Begins with the manifest as it came. Throws HashMismatchError where `code` does not name it, BadArchiveError,
   * TooLargeError, or StoreFullError.
   */
  begin(code: CID, manifest: Uint8Array): Promise<PartialImage>
  remove(code: CID, why: 'evicted' | 'removed' | 'damaged'): Promise<void>
  /** Where it lies: `manifest` as it came, and `blobs/<sha256 in hex>`. Throws NotFoundError where the image is not complete. */
  folder(code: CID): string
  verify(options?: AbortOptions & { only?: ReadonlySet<string> | undefined }): AsyncIterable<VerifiedCode>
}

export interface ImageReader {
  readonly manifest: ImageManifest
  /** The manifest as it travels. */
  readonly encoded: Uint8Array
  /** The size of a blob that is here, verified since this process began; undefined where it is not, or is damaged. */
  blobSize(digest: string): Promise<number | undefined>
  /** Fills `bytes` from `offset` on. False where that much is not there. */
  read(digest: string, offset: number, bytes: Uint8Array): Promise<boolean>
}

/** An image that is being fetched. Disposing leaves the blobs that are whole for the next time. */
export interface PartialImage extends AsyncDisposable {
  readonly manifest: ImageManifest
  /** Those that are not here, the largest first. */
  missing(): ImageBlob[]
  /** Bytes of the blobs that are here. */
  readonly bytes: number
  /**
   * Takes a blob in, as many bytes as the manifest says; nothing of it stays where it fails. Its space is reserved as it
   * comes. Throws HashMismatchError where it is another, StoreFullError or DiskFullError.
   */
  write(blob: ImageBlob, pieces: AsyncIterable<Uint8Array>): Promise<void>
  /** Makes it a whole image of the store. */
  commit(arrival: Arrival): Promise<void>
  discard(): Promise<void>
}
