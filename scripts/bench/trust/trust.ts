import { cpus } from 'node:os'
import { assertRates, KINDS, openChecks, type Rates } from './checks.ts'
import { assertLookups, HUBS, measureLookups, NODES } from './lookups.ts'

const ROUNDS = 5
/** As many samples as make a 99th percentile of more than the worst one alone would take minutes more. */
const CODES_PER_ROUND = 20

/**
 * How many statements a node can check, and how long it takes to learn what the hubs say of a code. The checks run beside
 * loops of the bare libraries in the same process, round by round; what has to hold is asserted, and ends the program.
 */
export async function runTrustBench({ json, rounds = ROUNDS }: { json: boolean; rounds?: number }): Promise<void> {
  const say = (line: object, text: string) => console.log(json ? JSON.stringify(line) : text)
  const measured: Rates[] = []
  {
    await using checks = await openChecks()
    for (let number = 0; number <= rounds; number++) {
      const rates = checks.round()
      // the first round warms up
      if (number === 0) continue
      measured.push(rates)
      say({ round: number, checks: rates }, `${number}  ${cells(rates)}`)
    }
  }
  const checks = mediansOf(measured)
  const lookups = await measureLookups(rounds * CODES_PER_ROUND, (text) => {
    if (!json) console.log(text)
  })
  const { cold, warm, fresh, bare, ratio, kept, complete } = lookups
  const cpu = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`
  say(
    { bench: 'trust', rounds, checks, nodes: NODES, hubs: HUBS, ...lookups, cpu },
    `\nchecks per second of CPU (medians; of the bare library): ${cells(checks)}\n` +
      `lookups of what ${HUBS} hubs say, in a mesh of ${NODES}: cold p50 ${cold.p50Ms} ms, p99 ${cold.p99Ms} ms, ` +
      `${ratio} times the DHT's own (p50 ${bare.p50Ms} ms); ` +
      `asked again p50 ${warm.p50Ms} ms, p99 ${warm.p99Ms} ms; from the mesh again p50 ${fresh.p50Ms} ms, p99 ${fresh.p99Ms} ms; ` +
      `kept p50 ${kept.p50Ms} ms, p99 ${kept.p99Ms} ms; ${complete} of ${lookups.lookups} found all`,
  )
  assertRates(checks)
  assertLookups(lookups)
}

function mediansOf(measured: readonly Rates[]): Rates {
  const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] as number
  const kinds = KINDS.map((kind) => {
    const of = (field: keyof Rates['bls']) => median(measured.map((rates) => rates[kind][field]))
    return [kind, { perSecond: of('perSecond'), raw: of('raw'), ratio: of('ratio') }] as const
  })
  return Object.fromEntries(kinds) as Rates
}

function cells(rates: Rates): string {
  return KINDS.map((kind) => `${kind} ${rates[kind].perSecond} (${rates[kind].ratio} of ${rates[kind].raw})`).join('  ')
}
