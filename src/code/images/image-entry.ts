import { join } from 'node:path'
import { type CID, cidOfBytes, parseCid } from '../../../protocols/encoding.ts'
import type { Disk } from '../../base/os/disk.ts'
import { HashMismatchError } from '../errors.ts'
import type { DiskUsage } from '../store/disk-quota.ts'
import { readProvenance } from '../store/provenance.ts'
import { MANIFEST } from '../store/store-layout.ts'
import type { CodeProvenance, StoredCode } from '../stored-code.ts'
import { scanBlobs } from './blob-files.ts'
import { decodeImageManifest, type ImageManifest } from './image-manifest.ts'

/** The folder of an image's blobs, beside its manifest. */
export const BLOBS = 'blobs'
/** What an image takes beside its blobs: its folder, their folder, manifest and provenance. */
export const FILES_PER_IMAGE = 4

/** One image of a store. */
export type ImageEntry = {
  readonly code: CID
  readonly manifest: ImageManifest
  readonly encoded: Uint8Array
  /** digests of the blobs that are here */
  readonly have: Set<string>
  /** blobs whose bytes were compared with their digest since this process began */
  readonly verified: Map<string, Promise<boolean>>
  /** how often each blob was written by this process: what a check of an earlier file finds says nothing of the next one */
  readonly writes: Map<string, number>
  usedAt: number
  provenance: CodeProvenance | undefined
  /** It was made whole: it has a provenance. */
  complete: boolean
  /** what the disk has lost of it while it was in use; the rest of it stays */
  damaged: string | undefined
  writer: boolean
}

/** What is in an image's folder. Throws where it is none: only the store writes there, so a crash left it. */
export async function readEntry(disk: Disk, folder: string, name: string): Promise<ImageEntry> {
  const encoded = new Uint8Array(await disk.readFile(join(folder, MANIFEST)))
  const code = parseCid(name)
  if (!cidOfBytes(encoded).equals(code))
    throw new HashMismatchError('the manifest is not the one that names the folder')
  const manifest = decodeImageManifest(encoded)
  const entry = newEntry({ code, manifest, encoded, usedAt: (await disk.stat(join(folder, MANIFEST))).mtimeMs })
  for (const digest of await scanBlobs(disk, join(folder, BLOBS), manifest.blobs)) entry.have.add(digest)
  if (entry.have.size === manifest.blobs.length) {
    entry.provenance = await readProvenance(disk, folder)
    entry.complete = true
  }
  return entry
}

export function newEntry(found: Pick<ImageEntry, 'code' | 'manifest' | 'encoded' | 'usedAt'>): ImageEntry {
  const empty = { have: new Set<string>(), verified: new Map<string, Promise<boolean>>(), writes: new Map() }
  return { ...found, ...empty, provenance: undefined, complete: false, damaged: undefined, writer: false }
}

/** Of the blobs that are here. */
export function bytesOf({ manifest, have }: ImageEntry): number {
  return manifest.blobs.reduce((sum, { digest, size }) => sum + (have.has(digest) ? size : 0), 0)
}

export function usageOf(entry: ImageEntry): DiskUsage {
  return { bytes: entry.encoded.byteLength + bytesOf(entry), files: FILES_PER_IMAGE + entry.have.size }
}

export function storedImage(entry: ImageEntry, pinned: boolean): StoredCode {
  const { code, manifest, complete, damaged, usedAt, provenance } = entry
  return { code, kind: 'image', size: manifest.size, complete, damaged, pinned, unpacked: false, usedAt, provenance }
}
