import type { JSX } from 'preact'
import { changedParts, diffLines } from '../../../../../policy/line-diff.ts'

const SIGNS = { same: ' ', added: '+', removed: '−' } as const
const WORDS = { same: '', added: 'added: ', removed: 'removed: ' } as const

export function Diff({ before, after }: { before: string; after: string }): JSX.Element {
  if (before === after) return <p class="soft">Nothing differs.</p>
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: without it a keyboard cannot scroll
    <figure class="diff" tabIndex={0} aria-label="Changed lines">
      {changedParts(diffLines(before, after)).map((line, index) => (
        <div key={index} class="diff-line" data-kind={line?.kind ?? 'gap'}>
          <span aria-hidden="true">{line === undefined ? '⋯' : SIGNS[line.kind]}</span>
          <span>
            {line === undefined ? null : <span class="unseen">{WORDS[line.kind]}</span>}
            {line?.text}
          </span>
        </div>
      ))}
    </figure>
  )
}
