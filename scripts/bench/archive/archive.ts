import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { watchMachine } from '../links/links.ts'
import { installHelia } from './helia.ts'
import { measureLinks } from './links.ts'
import type { Rounds, ToRounds } from './rounds.ts'

const PROCESSES = 3
const ROUNDS = 9

/**
 * 64 MiB as an archive against a raw libp2p stream and Helia's bitswap: three processes of nine rounds, the lowest counts. Then
 * over links with a rate: four providers against one, and a long way.
 */
export async function runArchiveBench({ json, rounds = ROUNDS }: { json: boolean; rounds?: number }) {
  const say = (line: object, text: string) => console.log(json ? JSON.stringify(line) : text)
  const noHelia = installHelia()
  if (noHelia !== undefined) say({ notMeasured: noHelia }, `not measured: ${noHelia}`)
  const busy = watchMachine()
  const results: Rounds[] = []
  for (let number = 0; number < PROCESSES; number++) {
    const result = await runProcess({ rounds, json, helia: noHelia === undefined })
    results.push(result)
    say(
      { process: number, ...result },
      `process ${number}: ${result.ratio} of a raw stream, ${result.ratioHelia ?? '-'} of Helia`,
    )
  }
  const lowest = (of: (result: Rounds) => number | undefined) => {
    const values = results.map(of).filter((value) => value !== undefined)
    return values.length === 0 ? undefined : Math.min(...values)
  }
  const links = await measureLinks(say)
  const summary = {
    bench: 'archive',
    processes: PROCESSES,
    rounds,
    ratio: lowest(({ ratio }) => ratio),
    ratioHelia: lowest(({ ratioHelia }) => ratioHelia),
    pauseMs: Math.max(...results.map(({ pauseMs }) => pauseMs)),
    ...links,
    busy: Number(busy().toFixed(2)),
  }
  say(
    summary,
    `64 MiB, verified on disk: ${summary.ratio} times as fast as a raw libp2p stream, ${summary.ratioHelia ?? '-'} times as fast as Helia; ` +
      `four providers ${links.fourProviders ?? '-'} times one; 60 ms away ${links.shareOfLongLink ?? '-'} of the link ` +
      `(machine ${Math.round(summary.busy * 100)} % busy)`,
  )
  return summary
}

async function runProcess(order: ToRounds): Promise<Rounds> {
  const child = fork(fileURLToPath(new URL('./rounds.ts', import.meta.url)), { execArgv: process.execArgv })
  const gone = once(child, 'exit')
  child.send(order)
  const ended = gone.then(([status]) => Promise.reject(new Error(`the rounds ended with ${status}`)))
  const [result] = await Promise.race([once(child, 'message'), ended])
  await gone
  return result
}
