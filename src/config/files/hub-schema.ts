import { z } from 'zod'
import { MAX_STATEMENT_SECONDS } from '../../../protocols/limits.ts'
import { nameSchema, urlSchema } from '../../../protocols/service.ts'
import { duration, keys, list, record, sentence, size, utf8, whole } from '../zod-fields.ts'

/** A CID, to see what an address looks like with one in it. */
const SAMPLE_CODE = `bafk${'a'.repeat(55)}`
/** Scanners that come with the package. */
export const OWN_SCANNERS = ['clamav', 'manifest'] as const
const MAX_SCANNERS = 16
/** Clocks differ, and an attestation is renewed before it expires. */
const LEAST_VALID = 3600
const MOST_TIMEOUT = 24 * 3600

const path = () => z.string('a path').min(1, 'a path').max(1024, 'a path')
const timeout = () => duration(1, MOST_TIMEOUT).describe('a scan that takes longer is ended, and says nothing')
const memory = () => size(16 * 1024 * 1024).describe('memory of one scan, with what it writes')

const own = keys({
  COMMAND: list(utf8(4096, 1), 64)
    .min(1, 'a list of a program and its arguments')
    .describe('what is run, in a sandbox without network: 0 = nothing found, 1 = found'),
  SHOWS: list(path(), 32).describe('files and folders of this machine that it may read, beside /usr').default([]),
  TIMEOUT: timeout().prefault('5m'),
  MEMORY: memory().prefault('512MiB'),
})

const clamav = keys({
  PROGRAM: path().describe('clamscan, by name or path').default('clamscan'),
  DATABASE: path().describe('folder (or file) with the signatures').default('/var/lib/clamav'),
  TIMEOUT: timeout().prefault('15m'),
  MEMORY: memory().describe('memory of one scan; the official signatures alone take 1.3 GiB').prefault('2560MiB'),
})

const report = () =>
  utf8(400, 1).superRefine((text, context) => {
    if (urlSchema.safeParse(text.replaceAll('{code}', SAMPLE_CODE)).success) return
    const allowed = 'an http(s) address, in which {code} is replaced by the content id of the code'
    context.addIssue({ code: 'custom', message: allowed })
  })

/** hub.json */
export const hubSchema = keys({
  $schema: z.string('text').describe('the JSON Schema of this file, for editors').optional(),
  KEY: path().describe("file with the hub's key (ed25519 PEM, or a BLS12-381 key); default: the node's own").optional(),
  SCANNERS: list(utf8(64, 1), MAX_SCANNERS)
    .min(1, 'a list of at least one name')
    .describe('names of scanners, each once: "clamav", "manifest", keys of COMMANDS; default: all that are here')
    .optional(),
  COMMANDS: record(z.string(), own, MAX_SCANNERS, 'an object from name to { COMMAND, SHOWS?, TIMEOUT?, MEMORY? }')
    .describe("the operator's own scanners")
    .superRefine((commands, context) => {
      for (const name of Object.keys(commands)) {
        const problem = nameSchema.safeParse(name).error?.issues[0]?.message
        if (problem !== undefined) sentence(context, [name], `is no name for a scanner: it ${problem}`)
        if (OWN_SCANNERS.some((known) => known === name)) {
          sentence(context, [name], 'has the name of a scanner that comes with the package; give it another')
        }
      }
    })
    .default({}),
  CLAMAV: clamav.describe('how clamscan is run').prefault({}),
  VALID: duration(LEAST_VALID, MAX_STATEMENT_SECONDS)
    .describe('how long a statement is valid; the code is examined again before that')
    .prefault('30d'),
  REPORT: report().describe('where people read why: an address with {code} in it').optional(),
  CONCURRENCY: whole(1, 16).describe('codes that are examined at once, each with the memory of a scanner').default(1),
  MAX_SIZE: size(1024).describe('no statement about larger code').prefault('512MiB'),
}).superRefine(({ SCANNERS = [], COMMANDS }, context) => {
  const known = [...OWN_SCANNERS, ...Object.keys(COMMANDS)]
  for (const [index, name] of SCANNERS.entries()) {
    if (!known.includes(name)) {
      const text = known.map((one) => JSON.stringify(one)).join(', ')
      sentence(context, ['SCANNERS', index], `is ${JSON.stringify(name)}; known are ${text}`)
    } else if (SCANNERS.indexOf(name) < index)
      sentence(context, ['SCANNERS', index], 'is there twice; keep one of them')
  }
})

export type HubFile = z.output<typeof hubSchema>
