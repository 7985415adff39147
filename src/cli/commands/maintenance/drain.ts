import { addAbortListener } from 'node:events'
import { nowSeconds, sleep } from '../../../base/clock.ts'
import { howMany, sanitizeText } from '../../../base/format.ts'
import type { DrainView } from '../../../node/types.ts'
import type { Cli } from '../../cli.ts'
import { nodeClient } from '../../client/node-client.ts'
import { command, durationOrNone, flag } from '../../command.ts'
import { commandText } from '../../output/command-text.ts'
import { idFormats, when } from '../../output/text.ts'
import { keepAlive } from '../../wait-for-exit.ts'

const LOOK_EVERY_MS = 1_000

type Wait = DrainView['waiting'][number]

export const drain = command({
  name: 'drain',
  summary: 'Take the node out of service for maintenance',
  details: [
    'The node takes no new service. Each run ends once other nodes run it, tasks are waited for, SERVICES end last, and',
    'what still runs at the deadline is stopped. The drain lasts until `thundercloud undrain`, over restarts of the node.',
    'This command shows how far it is until nothing runs; Ctrl-C ends the command and not the drain. On a node that is',
    'drained already it shows that drain, and gives it another deadline only where --deadline is there.',
  ].join('\n'),
  args: {},
  options: {
    deadline: durationOrNone('after so long what still runs is stopped; "none": never (default: 1h)'),
    detach: flag('do not wait until nothing runs', '-d'),
  },
  async run(cli, { deadline, detach }) {
    const { signal, out, clock } = cli
    const client = await nodeClient(cli)
    const view = await client.drain({ deadlineSeconds: deadline, signal })
    const end = commandText(cli, ['undrain'])
    if (detach || view.done) return report(cli, view, end)
    out.note(`The node takes no new service. ${deadlineText(view, nowSeconds(clock))}`)
    using _note = addAbortListener(signal, () => out.note(`The drain goes on; ${end} ends it.`))
    using _alive = keepAlive()
    using progress = out.progress('draining')
    const shown = new Map<string, Wait>()
    /** everything that was waited for; some begins to be only later */
    const seen = new Set<string>()
    for (let now: DrainView | undefined = view; ; now = (await client.drainView({ signal })).drain) {
      if (now === undefined) return out.result({ undrained: true }, () => ['The drain was ended elsewhere.'])
      for (const wait of now.waiting) {
        seen.add(wait.id)
        showWait(cli, shown, wait)
      }
      for (const wait of [...shown.values()]) showEnd(cli, shown, wait, now)
      progress.count(seen.size - now.waiting.length, seen.size)
      if (now.done) return report(cli, now, end)
      await sleep(clock, LOOK_EVERY_MS, { signal })
    }
  },
})

export const undrain = command({
  name: 'undrain',
  summary: 'End a drain: the node takes services again',
  args: {},
  options: {},
  async run(cli) {
    const { undrained } = await (await nodeClient(cli)).undrain({ signal: cli.signal })
    cli.out.result({ undrained }, () => [
      undrained ? 'The node takes services again; what waited is decided again.' : 'The node was not drained.',
    ])
  },
})

/** Once for each that waits, and again when it waits for something else. */
function showWait({ out }: Cli, shown: Map<string, Wait>, wait: Wait): void {
  if (shown.get(wait.id)?.why === wait.why) return
  shown.set(wait.id, wait)
  out.item({ event: 'waiting', ...wait }, () => `${named(out.terminal, wait)}: ${sanitizeText(wait.why, 300)}`)
}

function showEnd({ out }: Cli, shown: Map<string, Wait>, wait: Wait, { waiting, cut }: DrainView): void {
  if (waiting.some(({ id }) => id === wait.id)) return
  shown.delete(wait.id)
  const isCut = cut.some(({ id }) => id === wait.id)
  const { id, name } = wait
  out.item({ event: 'ended', id, name, cut: isCut }, () => {
    return `${named(out.terminal, wait)} has ended here${isCut ? ': it was stopped at the deadline' : ''}`
  })
}

function report({ out, clock }: Cli, view: DrainView, undo: string): void {
  const { done, waiting, cut } = view
  out.result(view, () => [
    done
      ? `Nothing runs here any more, and the node takes no new service until ${undo}.`
      : `The node is drained: ${howMany(waiting.length, 'run goes on', 'runs go on')}. ${deadlineText(view, nowSeconds(clock))} ${undo} ends the drain.`,
    ...(cut.length === 0 ? [] : [`Stopped at the deadline: ${cut.map((one) => named(out.terminal, one)).join(', ')}.`]),
  ])
}

function deadlineText({ deadline }: DrainView, now: number): string {
  if (deadline === undefined) return 'It has no deadline.'
  return deadline <= now ? 'The deadline has passed.' : `What runs ${when(deadline, now)} is stopped.`
}

function named(terminal: boolean, { id, name }: { id: string; name: string }): string {
  return `"${sanitizeText(name, 64)}" ${idFormats(terminal).id(id)}`
}
