import { nowSeconds } from '../../../base/clock.ts'
import { sanitizeText } from '../../../base/format.ts'
import type { TreeBranch, TrustTree } from '../../../node/types.ts'
import { nodeClient } from '../../client/node-client.ts'
import { command, optionalArgument } from '../../command.ts'
import { FailedError } from '../../errors.ts'
import { when } from '../../output/text.ts'
import { minuteText } from '../../statements/expiry.ts'

export const trustTree = command({
  name: 'trust tree',
  summary: "Show the addresses for which the operator's roots vouch; with ADDRESS, why it is in or out",
  details: 'With ADDRESS, the exit code is 0 if it is in the tree, and 1 if it is not.',
  args: { address: optionalArgument('ADDRESS', 'whether this one is in, and why') },
  options: {},
  async run(cli, { address }) {
    const client = await nodeClient(cli)
    const tree = await client.trust(address, { signal: cli.signal })
    const { asked } = tree
    if (asked === undefined) {
      const now = nowSeconds(cli.clock)
      return cli.out.result(tree, () => treeLines(tree, now))
    }
    if (asked.in || cli.out.json)
      cli.out.result(tree, () => [`In: ${sanitizeText(asked.why, 600)}`, ...pathLines(asked.path)])
    if (!asked.in) throw new FailedError(`Out: ${sanitizeText(asked.why, 600)}`)
  },
})

function treeLines({ roots }: TrustTree, now: number): string[] {
  if (roots.length === 0) return ['There is no root.']
  return roots.flatMap((root) => branchLines(root, now, { own: '', below: '' }))
}

/** One line a branch, whole addresses: this is where people copy them from. */
function branchLines(branch: TreeBranch, now: number, indent: { own: string; below: string }): string[] {
  const { address, depth, until, branches, idle } = branch
  const ends = until === undefined ? 'root' : `until ${minuteText(until)}, ${when(until, now)}`
  const below = [
    ...branches.map((next) => (last: boolean) => branchLines(next, now, indentOf(indent.below, last))),
    ...idle.map(({ address: whom, why }) => (last: boolean) => {
      return [`${indentOf(indent.below, last).own}${sanitizeText(whom, 120)}  (idle: ${sanitizeText(why, 200)})`]
    }),
  ]
  return [
    `${indent.own}${sanitizeText(address, 120)}  (${ends}, depth ${depth})`,
    ...below.flatMap((lines, index) => lines(index === below.length - 1)),
  ]
}

function indentOf(before: string, last: boolean): { own: string; below: string } {
  return { own: `${before}${last ? '└─ ' : '├─ '}`, below: `${before}${last ? '   ' : '│  '}` }
}

function pathLines(path: readonly string[]): string[] {
  return path.length < 2 ? [] : path.map((address, index) => `${'  '.repeat(index + 1)}${sanitizeText(address, 120)}`)
}
