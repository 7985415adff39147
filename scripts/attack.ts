import { parseArgs } from 'node:util'
import { ATTACKS, type Attack, type Observation, TRIES } from './attack/attacks.ts'
import { roundsOf, startHarness } from './attack/harness.ts'

const USAGE = `npm run attack -- [ID ...] [--short] [--json] [--without ID]

  Hostile peers, in processes of their own, against a running node: what honest neighbours still get through it, and what
  the node spends before, during and after. Exit code 1 when a bound does not hold.

  --without ID   switches that attack's defence off, to see that it is what holds

${ATTACKS.map(({ id, what }) => `  ${id.padEnd(4)} ${what}`).join('\n')}`

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      short: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      without: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return console.log(USAGE)
  const chosen = chooseAttacks(positionals)
  const [weakened] = values.without === undefined ? [] : chooseAttacks([values.without])
  if (weakened !== undefined && weakened.defences.length === 0) {
    throw new Error(`--without ${weakened.id}: what holds this one is no bound that can be switched off`)
  }
  const say = (line: object, text: string) => console.log(values.json ? JSON.stringify(line) : text)
  const form = values.short ? 'short' : 'long'
  let held = 0
  await using harness = await startHarness(weakened?.defences ?? [])
  for (const round of roundsOf(chosen, form)) {
    const all = await harness.run(round, form)
    for (const [at, attack] of round.entries()) {
      const seen = all[at] as Observation
      const holds = attack.held(seen)
      if (holds) held++
      say({ id: attack.id, what: attack.what, bound: attack.bound, held: holds, ...seen }, rowOf(attack, seen, holds))
    }
  }
  console.log(JSON.stringify({ attacks: chosen.length, held }))
  if (held < chosen.length) process.exitCode = 1
}

function chooseAttacks(ids: readonly string[]): readonly Attack[] {
  if (ids.length === 0) return ATTACKS
  return ids.flatMap((id) => {
    const found = ATTACKS.find((attack) => attack.id.toLowerCase() === id.toLowerCase())
    if (found === undefined)
      throw new Error(`there is no attack "${id}"; there are ${ATTACKS.map((one) => one.id).join(', ')}`)
    return found
  })
}

function rowOf(
  { id, what, bound, tries = 'dial' }: Attack,
  { before, during, after, delivery, dials, attacker }: Observation,
  holds: boolean,
): string {
  const way = (name: 'rssMiB' | 'liveMiB' | 'descriptors') => `${before[name]} -> ${during[name]} -> ${after[name]}`
  return (
    `${id.padEnd(4)} ${holds ? 'held  ' : 'FAILED'} ${what}\n` +
    `     delivered ${delivery.came} of ${delivery.sent}, p99 ${delivery.p99Ms} ms, honest ${tries}s ${dials} of ${TRIES}, ` +
    `event loop held ${during.heldMs} ms\n` +
    `     RSS ${way('rssMiB')} MiB, in use ${way('liveMiB')} MiB, descriptors ${way('descriptors')}; attackers: ${JSON.stringify(attacker)}\n` +
    `     bound: ${bound}`
  )
}

try {
  await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 2
}
