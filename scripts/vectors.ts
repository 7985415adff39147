/**
 * Writes protocols/vectors/*.json from fixed seeds: `node scripts/vectors.ts`.
 * With --check it writes nothing and fails where a file is stale.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { access } from './vectors/access.ts'
import { address } from './vectors/address.ts'
import { announcement } from './vectors/announcement.ts'
import { archive } from './vectors/archive.ts'
import { attestation } from './vectors/attestation.ts'
import { claims } from './vectors/claims.ts'
import { code } from './vectors/code.ts'
import { delegation } from './vectors/delegation.ts'
import { encoding } from './vectors/encoding.ts'
import { freezeStatement } from './vectors/freeze.ts'
import type { Draft, VectorFile } from './vectors/kit/kit.ts'
import { members } from './vectors/members.ts'
import { receipt } from './vectors/receipt.ts'
import { redirection } from './vectors/redirection.ts'
import { perform } from './vectors/reference-ops/operations.ts'
import { results } from './vectors/results.ts'
import { service } from './vectors/service.ts'
import { signature } from './vectors/signature.ts'
import { status } from './vectors/status.ts'
import { stop } from './vectors/stop.ts'
import { stream } from './vectors/stream.ts'
import { sync } from './vectors/sync.ts'
import { tunnel } from './vectors/tunnel.ts'

const FOLDER = new URL('../protocols/vectors/', import.meta.url)
const FILES: Record<string, () => VectorFile> = {
  access,
  address,
  announcement,
  archive,
  attestation,
  claims,
  code,
  delegation,
  encoding,
  freeze: freezeStatement,
  members,
  receipt,
  redirection,
  results,
  service,
  signature,
  status,
  stop,
  stream,
  sync,
  tunnel,
}

/** File name -> its text. */
export function vectorFiles(): Map<string, string> {
  return new Map(Object.entries(FILES).map(([name, file]) => [`${name}.json`, render(name, file())]))
}

/** Names of the files that are not what the generator writes. */
export function staleVectors(): string[] {
  return [...vectorFiles()].filter(([name, text]) => read(name) !== text).map(([name]) => name)
}

function render(name: string, { about, cases }: VectorFile): string {
  const names = cases.map((one) => one.name)
  const twice = names.find((one, index) => names.indexOf(one) !== index)
  if (twice !== undefined) throw new Error(`${name}: two cases are called "${twice}"`)
  return `${JSON.stringify({ about, generated: 'by scripts/vectors.ts', cases: cases.map(freeze) }, undefined, 2)}\n`
}

/** A case with what it comes to; one that comes to something else than its author meant is a bug in one of the two. */
function freeze(draft: Draft): object {
  const { error: meant, ...input } = draft
  const result = perform(input as Draft)
  const got = 'error' in result ? { ...result.error, also: meant?.also } : undefined
  if (JSON.stringify(got) !== JSON.stringify(meant)) {
    throw new Error(`"${draft.name}": meant ${JSON.stringify(meant) ?? 'valid'}, got ${JSON.stringify(got) ?? 'valid'}`)
  }
  return { ...input, ...result, ...(meant === undefined ? {} : { error: meant }) }
}

function read(name: string): string | undefined {
  try {
    return readFileSync(new URL(name, FOLDER), 'utf8')
  } catch {
    return undefined
  }
}

if (import.meta.main) {
  if (process.argv.includes('--check')) {
    const stale = staleVectors()
    if (stale.length > 0) {
      process.stderr.write(`stale: ${stale.join(', ')} in protocols/vectors; run node scripts/vectors.ts\n`)
      process.exitCode = 1
    }
  } else {
    mkdirSync(FOLDER, { recursive: true })
    for (const [name, text] of vectorFiles()) writeFileSync(new URL(name, FOLDER), text)
  }
}
