import type { JSX } from 'preact'
import type { TreeBranch, TrustTree } from '../../../../../node/types.ts'
import { pathTo } from '../../data/router.ts'
import { shortId } from '../../data/text.ts'
import { Empty } from '../../parts/states.tsx'
import { durationText } from '../../parts/time.tsx'

const COLUMN = 230
const ROW = 46
const MARGIN = 16
/** A picture of more tells nothing; the question below it is answered about all. */
const MAX_DRAWN = 150

type Drawn = {
  readonly key: string
  readonly address: string
  readonly note: string
  readonly kind: 'root' | 'branch' | 'idle'
  readonly x: number
  readonly y: number
  readonly from?: { readonly x: number; readonly y: number } | undefined
}

/** Roots on the left; to the right of each, those for whom it vouches. Dashed: a delegation that is not in force. */
export function TreePicture({ tree }: { tree: TrustTree }): JSX.Element {
  const all = drawn(tree.roots)
  const nodes = all.slice(0, MAX_DRAWN)
  if (nodes.length === 0) {
    return <Empty title="No root is trusted">TRUST_TREE of the policy names roots.</Empty>
  }
  const width = Math.max(...nodes.map(({ x }) => x)) + COLUMN
  const height = Math.max(...nodes.map(({ y }) => y)) + ROW
  const words = `${tree.roots.length} roots; with all for whom they vouch, ${all.length} addresses.`
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: without it a keyboard cannot scroll
    <figure class="tree-scroll" tabIndex={0} aria-label="Picture of the trust tree">
      <svg class="tree live-value" width={width} height={height} viewBox={`0 0 ${width} ${height}`}>
        <title>{words}</title>
        {nodes.map(({ key, from, x, y, kind }) =>
          from === undefined ? null : (
            <path
              key={key}
              class={kind === 'idle' ? 'idle-link' : undefined}
              d={`M${from.x + 8} ${from.y}C${from.x + COLUMN / 2} ${from.y} ${x - COLUMN / 2} ${y} ${x - 8} ${y}`}
            />
          ),
        )}
        {nodes.map(({ key, address, note, kind, x, y }) => (
          <g key={key} class={kind} transform={`translate(${x} ${y})`}>
            <title>{address}</title>
            <a href={pathTo('trust', undefined, { address })}>
              <circle r="7" />
              <text x="14" y="-1">
                {shortId(address)}
              </text>
            </a>
            <text class="tree-note" x="14" y="14">
              {note}
            </text>
          </g>
        ))}
      </svg>
      {all.length > MAX_DRAWN ? (
        <figcaption class="soft small">
          {MAX_DRAWN} of {all.length} addresses are drawn.
        </figcaption>
      ) : null}
    </figure>
  )
}

function drawn(roots: readonly TreeBranch[]): Drawn[] {
  const nodes: Drawn[] = []
  let row = 0
  const at = (depth: number) => ({ x: MARGIN + depth * COLUMN, y: MARGIN + 4 + row++ * ROW })
  const visit = (branch: TreeBranch, level: number, from: Drawn['from'], path: string): void => {
    const spot = at(level)
    const key = `${path}/${branch.address}`
    const until = branch.until === undefined ? '' : `for ${durationText(branch.until - Date.now() / 1000)} more, `
    const note = `${level === 0 ? 'root, ' : until}${branch.depth === 0 ? 'vouches for nobody else' : `may vouch, ${branch.depth} deep`}`
    nodes.push({ key, address: branch.address, note, kind: level === 0 ? 'root' : 'branch', ...spot, from })
    // the first below it is beside it
    if (branch.branches.length + branch.idle.length > 0) row--
    for (const below of branch.branches) visit(below, level + 1, spot, key)
    for (const { address, why } of branch.idle) {
      nodes.push({ key: `${key}/idle/${address}`, address, note: why, kind: 'idle', ...at(level + 1), from: spot })
    }
  }
  for (const root of roots) visit(root, 0, undefined, '')
  return nodes
}
