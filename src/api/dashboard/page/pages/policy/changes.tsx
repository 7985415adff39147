import type { JSX } from 'preact'
import type { Change, Preview } from '../../../../../node/types.ts'
import { many, visible } from '../../data/text.ts'
import { ServiceLink, State } from '../../parts/bits.tsx'

const WORDS = { run: 'runs', parked: 'parked', redirected: 'redirected', refused: 'refused' } as const
const TONES = { run: 'running', parked: 'parked', redirected: 'redirected', refused: 'refused' } as const

export function PreviewText({ preview }: { preview: Preview }): JSX.Element {
  const { changes, more, asked, notAsked } = preview
  return (
    <p role="status">
      {changes.length === 0
        ? 'Nothing that is live here would change.'
        : `${many(changes.length + more, 'service')} would change.`}{' '}
      <span class="soft">
        What runs and is parked was asked about, and {asked.toLocaleString('en')} of the others
        {notAsked === 0 ? '' : `; ${notAsked.toLocaleString('en')} are too many to ask about now`}.
      </span>
    </p>
  )
}

/** What becomes of each service, and the rule that decides it. */
export function Changes({ changes }: { changes: readonly Change[] }): JSX.Element | null {
  if (changes.length === 0) return null
  return (
    <ul class="rows">
      {changes.map(({ id, name, from, to, because, moves }) => (
        <li key={id}>
          <ServiceLink id={id} name={name} />
          <span>
            <State of={TONES[from]}>{WORDS[from]}</State> → <State of={TONES[to]}>{WORDS[to]}</State>
          </span>
          {moves === undefined ? null : <span class="soft small">begins again by {moves}</span>}
          {because === undefined ? null : (
            <span class="soft small">
              <span class="mono">{because.rule}</span>: {visible(because.message, 200)}
            </span>
          )}
        </li>
      ))}
    </ul>
  )
}
