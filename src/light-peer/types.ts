import type { KeyObject } from 'node:crypto'
import type { Announcement } from '../../protocols/announcement.ts'
import type { CID } from '../../protocols/encoding.ts'
import type { Receipt } from '../../protocols/receipt.ts'
import type { Signer } from '../../protocols/signature.ts'
import type { LogLine } from '../base/run-record.ts'
import type { BytePipe } from '../base/stream.ts'
import type { PeerResults } from '../peer-client/results.ts'

export type AbortOptions = { readonly signal?: AbortSignal | undefined }

export type LookupOptions = AbortOptions & {
  /** peer ids that reported a run of the service: they are asked first */
  readonly peers?: readonly string[] | undefined
}

export type LightPeerInit = {
  /** network name */
  readonly network: string
  /** multiaddrs to join through, each ending in /p2p/<id> */
  readonly join: readonly string[]
  /** Signs access tokens for this peer, so that the author reaches what is the author's. */
  readonly author?: Signer | undefined
  /** The ed25519 key of this peer; default: a new one, which is forgotten with it. */
  readonly identity?: KeyObject | undefined
  /** An access token of the author's for the peer with this `identity`. It opens what it names, in the place of `author`. */
  readonly access?: Uint8Array | undefined
  /** Ends the attempt to join. */
  readonly signal?: AbortSignal | undefined
}

/**
 * A peer for a minute: it has no policy, runs nothing and forgets everything. Publishes, asks, and opens tunnels from a
 * laptop that never was a node. Unless it is given an identity, that is new each time; disposing it leaves nothing behind.
 */
export interface LightPeer extends AsyncDisposable {
  readonly peerId: string
  /** Multiaddrs for `replyTo`: where receipts reach this peer. */
  replyTo(): string[]
  /** Packs a folder, keeps it in a temporary store and serves it to the mesh. */
  addFolder(
    dir: string,
    options?: { signal?: AbortSignal | undefined },
  ): Promise<{ code: CID; size: number; files: number }>
  /** The same with what is packed already, as `packEntries` writes it. */
  addArchive(
    tar: AsyncIterable<Uint8Array>,
    options?: { signal?: AbortSignal | undefined },
  ): Promise<{ code: CID; size: number }>
  /** Resolves when at least one neighbour was sent it. */
  announce(announcement: Announcement, options?: { signal?: AbortSignal | undefined }): Promise<void>
  /** Sends a statement to the neighbours and puts it into the mesh's records. Resolves when at least one of them has it. */
  submitStatement(encoded: Uint8Array, options?: { signal?: AbortSignal | undefined }): Promise<{ records: number }>
  /** Receipts that nodes send for what was announced here, as they come. Ends with the signal. */
  receipts(options?: { signal?: AbortSignal | undefined }): AsyncIterable<Receipt>
  /** Peer ids that hold the code and answer for it now, without this one. Ends when the lookup does. */
  holders(code: CID, options?: { signal?: AbortSignal | undefined }): AsyncIterable<string>
  /** Does this node answer now? The connection shows that it has the key of the peer id. */
  answers(peer: string, options: { signal: AbortSignal }): Promise<boolean>
  /** Asks those that reported a run, neighbours and providers at the same time what they do with a service. */
  ask(service: CID, options?: LookupOptions): AsyncIterable<Receipt>
  /**
   * A pipe to a named port of a running service; tries every node that runs it. Throws with the last refusal, or after
   * three seconds in which no node that runs it was found.
   */
  connect(service: CID, port: string, options?: LookupOptions): Promise<BytePipe>
  /** The same at one node, which is not asked what it does with the service first. */
  connectAt(peer: string, service: CID, port: string, options?: AbortOptions): Promise<BytePipe>
  /** Of the nodes that have or had a run of it, one after the other; those that answer within three seconds. */
  logs(service: CID, options: { tail: number; follow: boolean } & LookupOptions): AsyncIterable<LogLine>
  /** What a task left at one node. Throws with its refusal, or with why there is nothing. */
  resultsAt(peer: string, service: CID, options?: AbortOptions): Promise<PeerResults>
  /** The log of one node. Throws with its refusal. */
  logsAt(peer: string, service: CID, options: { tail: number; follow: boolean } & AbortOptions): AsyncIterable<LogLine>
}
