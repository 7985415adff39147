import type { AbortOptions } from '../stored-code.ts'
import type { Provider } from './provider-pool.ts'

/** What of a code is here, on its way to the whole. Disposing leaves it for the next time. */
export interface PartialTransfer extends AsyncDisposable {
  readonly manifest: { readonly size: number }
  /** Verified and written. */
  readonly bytes: number
  commit(arrival: { from: 'mesh'; startedAt: number }): Promise<void>
  discard(): Promise<void>
}

/** What is left to fetch, and of whom each piece of it is asked. */
export interface Picker {
  readonly done: boolean
}

export type Target<P, K> = { readonly partial: P; readonly picker: K }

/** What a provider's download knows of the whole. */
export interface TransferProgress<P, K> {
  readonly target: Target<P, K> | undefined
  /** Takes a manifest; only the first one counts. Throws HashMismatchError where it is not the code's. */
  begin(manifest: Uint8Array): Promise<Target<P, K>>
  /** A piece has been stored. */
  stored(): void
}

/** How one kind of code is fetched: an archive chunk by chunk, an image blob by blob. */
export interface Transfer<P extends PartialTransfer, K extends Picker> {
  /** For sentences. */
  readonly noun: 'code' | 'image'
  /** Are these bytes the manifest that the content id names? */
  isManifest(bytes: Uint8Array): boolean
  /** What an earlier fetch has left. */
  resume(options: AbortOptions): Promise<P | undefined>
  begin(manifest: Uint8Array): Promise<P>
  createPicker(partial: P): K
  /**
   * Pulls from one provider until all is here, or it has nothing more. Throws HashMismatchError or ProtocolError where it
   * sent invalid data.
   */
  pull(provider: Provider, progress: TransferProgress<P, K>): Promise<void>
}
