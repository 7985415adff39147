import type { CID } from '../../protocols/encoding.ts'
import type { Source } from '../../protocols/service.ts'
import type { ArchiveManifest } from '../../protocols/streams/archive.ts'
import type { Clock } from '../base/clock.ts'
import type { Emitter } from '../base/events.ts'
import type { Log } from '../base/log.ts'
import type { Disk } from '../base/os/disk.ts'
import type { Rng } from '../base/rng.ts'
import type { MessageStream, StreamOpener } from '../base/stream.ts'
import type { ClientAccessReader, ClientRegistries, RunnerConfig } from '../config/index.ts'
import type { EgressComponents } from '../egress/index.ts'
import type { TarLimits } from './archive/tar-read.ts'
import type { Zstd } from './archive/zstd.ts'
import type { CodeEvents } from './events.ts'
import type { ImageStore } from './images/types.ts'
import type { AbortOptions, Arrival, CodeProvenance, StoredCode, VerifiedCode } from './stored-code.ts'
import type { Unpacker } from './unpack/unpack.ts'

export type { AbortOptions, Arrival, CodeProvenance, StoredCode, VerifiedCode } from './stored-code.ts'

/** What the policy in force says of sources that are not the mesh. */
export type StorageConfig = Pick<RunnerConfig, 'ALLOWED_STORAGE' | 'REGISTRIES'> & {
  readonly clientRegistries?: ClientRegistries | undefined
}

export type StoreComponents = {
  readonly clock: Clock
  readonly log: Log
  readonly events: Emitter<CodeEvents>
  /** default: that of this machine */
  readonly disk?: Disk | undefined
}

export type StoreInit = {
  /** Belongs to this store alone: anything else in there is removed. */
  readonly dir: string
  /** What code, partly fetched code and unpacked files may take on the disk, in all. */
  readonly maxBytes: number
}

/** Code on this disk, by its content. One process per folder. */
export interface CodeStore extends AsyncDisposable {
  /** OCI images, whose content ids are raw. `has`, `list`, `usage`, `pin`, `remove`, `verify` and `provenance` speak of them too. */
  readonly images: ImageStore
  /** All of it is here, and not known to be damaged. */
  has(code: CID): boolean
  /** What the disk has lost of code that is in use, in one sentence. Code that is taken in takes its place. */
  damage(code: CID): string | undefined
  /** Of the archive, or of all blobs of the image; also where only a part is here. */
  size(code: CID): number | undefined
  /** Of an archive, also where only a part of it is here. */
  manifest(code: CID): ArchiveManifest | undefined
  list(): StoredCode[]
  /** `files`: also folders and links. */
  usage(): { bytes: number; maxBytes: number; files: number; maxFiles: number; codes: number }
  /** Files, folders and links that would still fit, once all unused code is evicted. */
  filesLeft(): number
  /**
   * Takes a tar in; nothing is kept where it fails. Throws BadArchiveError where it is not canonical, HashMismatchError
   * where it is not `expected`.
   */
  addTar(
    tar: AsyncIterable<Uint8Array>,
    options?: AbortOptions & Arrival & { expected?: CID },
  ): Promise<{ code: CID; size: number }>
  /** Where complete code came from, as far as that was noted. */
  provenance(code: CID): CodeProvenance | undefined
  /** Reads chunks of what is here in whole or in part; undefined where nothing is. */
  open(code: CID): Promise<ChunkReader | undefined>
  /** What is here of a code that is being fetched; undefined where nothing is. One writer at a time. */
  resume(code: CID, options?: AbortOptions): Promise<PartialCode | undefined>
  /** Begins with a manifest as a peer sent it. Throws HashMismatchError where it is not the one that `code` names. */
  begin(code: CID, manifest: Uint8Array): Promise<PartialCode>
  /** Keeps the code from being evicted until disposed, also where it comes only later. */
  pin(code: CID): Disposable
  /** Throws InUseError where it is pinned or being fetched. */
  remove(code: CID, options?: { why?: CodeEvents['code:removed']['why'] }): Promise<void>
  /**
   * Reads each whole archive from the disk and hashes it, the last used first; one that is damaged is removed. Where it is
   * in use it stays, and counts as not here. An archive that leaves the store meanwhile is left out. Unpacked files are checked when a run takes them.
   * `only`: these content ids.
   */
  verify(options?: AbortOptions & { only?: ReadonlySet<string> | undefined }): AsyncIterable<VerifiedCode>
  /** An empty folder of which nothing is left after a crash, on the same file system. */
  tempDir(): Promise<string>
  /** A folder for files that are on their way, at most `maxBytes` of them. */
  scratch(maxBytes: number): Promise<Scratch>
  /** Where the tar and the unpacked files lie. Throws NotFoundError where the code is not complete. */
  paths(code: CID): { tar: string; files: string; unpacked: boolean }
  /** Throws StoreFullError before unpacking if the unpacked files would not fit. */
  checkUnpacking(code: CID): void
  /** Makes `dir`, with so many files, folders and links, the unpacked files of the code. */
  keepUnpacked(code: CID, dir: string, entries: number): Promise<void>
  /** Throws the unpacked files away. */
  dropUnpacked(code: CID): Promise<void>
}

/** A folder whose disk space is reserved as it fills, until it is disposed with all that is in it. */
export interface Scratch extends AsyncDisposable {
  readonly dir: string
  /** Aborts with StoreFullError when the files do not fit: stop filling it. */
  readonly full: AbortSignal
}

export interface ChunkReader extends AsyncDisposable {
  readonly manifest: ArchiveManifest
  /** The manifest as it travels. */
  readonly encoded: Uint8Array
  /** Fills `bytes`, which is as long as the chunk. False if it is not here yet. Throws HashMismatchError if the disk damaged it. */
  read(index: number, bytes: Uint8Array): Promise<boolean>
}

/** A code that is being fetched. Disposing leaves what is there for the next time. */
export interface PartialCode extends AsyncDisposable {
  readonly manifest: ArchiveManifest
  /** The tar with its holes. */
  readonly path: string
  has(index: number): boolean
  /** Verified and written. */
  readonly bytes: number
  readonly complete: boolean
  /** Throws HashMismatchError where this is not the chunk that the manifest names. */
  write(index: number, bytes: Uint8Array): Promise<void>
  /** Makes it a whole code of the store. `startedAt`: when this fetch began, by the monotonic clock. */
  commit(options?: { startedAt?: number }): Promise<void>
  discard(): Promise<void>
}

export interface CodeProviders {
  /** Peer ids that are said to serve the code, as they are found. */
  findProviders(code: CID, options: AbortOptions): AsyncIterable<string>
}

export type CodeComponents = StoreComponents & {
  readonly rng: Rng
  /** Opens archive streams to providers. */
  readonly streams: StreamOpener
  readonly providers: CodeProviders
  /** default: beside the main thread */
  readonly zstd?: Zstd | undefined
  /** default: a confined process */
  readonly unpacker?: Unpacker | undefined
  /** The machine's network, for sources other than the mesh. */
  readonly internet?: EgressComponents | undefined
  /** Called with a peer that sent data that the code's hashes exclude; it is scored. */
  readonly onInvalidData?: ((peer: string) => void) | undefined
}

export type CodeInit = StoreInit & {
  /** What sources other than the mesh may be downloaded from: the policy in force. Without it, none is. */
  readonly storage?: (() => StorageConfig) | undefined
  /** What downloads from package indexes take from the indexes' own clients. */
  readonly clientAccess?: ClientAccessReader | undefined
  /** The own peer id: never asked for code. */
  readonly self?: string | undefined
}

export type RetrieveOptions = AbortOptions & {
  /** The service's own list. The mesh is always asked; kinds that this node cannot fetch from are skipped. */
  readonly sources?: readonly Source[] | undefined
  /** It is for a service of the node's own address: sources that serve no other may be used. */
  readonly own?: boolean | undefined
  /** The id of the service, under which failures of its sources are reported. */
  readonly service?: string | undefined
  /** Of the service. No author holds all download slots. */
  readonly author?: string | undefined
  /** Redirections between the publisher and this node. The further away, the longer peers are asked before another source is. */
  readonly distance?: number | undefined
  /** Peers that are likely to have it: those that announced or published it. Asked before the DHT. */
  readonly peers?: readonly string[] | undefined
  /** Bytes that the archive may have, and so its files together; files and folders that it may unpack to. */
  readonly limits?: Partial<TarLimits> | undefined
  /** Give up after this; without it, only the signal ends the search. */
  readonly patienceMs?: number | undefined
  /** Rounds of looking; default: as many as it takes. */
  readonly attempts?: number | undefined
  readonly onProgress?: ((progress: { bytes: number; size: number }) => void) | undefined
}

/** Unpacked code, read-only, shared by its holders. The store may evict it once all have disposed it. */
export interface RetrievedCode extends Disposable {
  readonly dir: string
  readonly code: CID
  release(): void
}

/** The code part of a node. */
export interface Code extends AsyncDisposable {
  readonly store: CodeStore
  /** Packs a folder (see ignore.ts) into the store. Throws InputError naming the file that cannot be packed. */
  addFolder(dir: string, options?: AbortOptions): Promise<{ code: CID; size: number; files: number }>
  addTar: CodeStore['addTar']
  /** Answers one stream of the archive protocol until it ends. Never rejects. */
  serve(stream: MessageStream, options?: AbortOptions): Promise<void>
  /** Store, then inline bytes, then the mesh, again and again with back-off; verified and unpacked. */
  obtain(code: CID, options?: RetrieveOptions): Promise<RetrievedCode>
  /** Why its download for a service of this author waits for its turn: the end of a sentence. Undefined where none waits. */
  whyWaits(code: CID, author: string): string | undefined
  /** Like `obtain`, but only into the store. */
  fetch(code: CID, options?: RetrieveOptions): Promise<void>
}
