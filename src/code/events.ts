/** Events of the code part. `code` is a CID in base32, `peer` a peer id; `problem` is one sentence, safe to print. */
export type CodeEvents = {
  /** The whole of it is in the store, verified. */
  'code:added': { code: string; size: number; from: CodeOrigin }
  /** The disk lost some of it while it was in use: it stays, counts as not here, and is fetched again. */
  'code:damaged': { code: string; why: string }
  'code:removed': { code: string; why: 'evicted' | 'removed' | 'damaged' }
  'code:fetch-started': { code: string }
  /** bytes verified and written, of size */
  'code:fetch-progress': { code: string; bytes: number; size: number; providers: number }
  /** `source`: which one, where it was not the mesh */
  'code:fetch-finished': { code: string; size: number; ms: number; from: CodeOrigin; source?: string }
  /** A source of this service that is not the mesh failed or was refused; `next` is tried now. */
  'code:source-failed': { code: string; service?: string; source: string; problem: string; next?: string }
  /** One round of looking failed; `retry`: there will be another. */
  'code:fetch-failed': { code: string; problem: string; retry: boolean }
  /** The peer sent something that the code's hashes rule out. */
  'code:provider-invalid': { code: string; peer: string; problem: string }
  'code:unpacked': { code: string; files: number; bytes: number; ms: number }
  /** A peer's stream ended after it took this much. */
  'code:served': { peer: string; chunks: number; bytes: number }
}

export type CodeOrigin = 'local' | 'inline' | 'mesh' | 'git' | 'https' | 'oci' | 'registry'
