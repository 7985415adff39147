import { nowSeconds } from '../../base/clock.ts'
import { printable } from '../../base/text.ts'
import { argument, command } from '../command.ts'
import { daemonOf } from '../daemon.ts'
import { when } from '../text.ts'
import { reasonLines, verdictText } from '../verdict-text.ts'

export const explain = command({
  name: 'explain',
  summary: 'Why the node did what it did: each rule, its outcome, and what would change it',
  args: { service: argument('SERVICE', 'an id, the beginning of one, or a name') },
  options: {},
  async run(cli, { service }) {
    const client = await daemonOf(cli)
    const explanation = await client.explain(service, { signal: cli.signal })
    cli.out.result(explanation, () => {
      const { verdict, failure, from, at } = explanation
      const decided =
        from === 'journal'
          ? `decided ${when(at, nowSeconds(cli.clock))}`
          : 'not decided yet; this is what would be decided now'
      return [
        `${verdictText(verdict)} (${decided})`,
        ...(failure === undefined ? [] : [`The runner failed: ${printable(failure, 400)}`]),
        '',
        ...reasonLines(verdict.reasons),
      ]
    })
  },
})
