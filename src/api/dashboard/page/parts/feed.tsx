import type { JSX } from 'preact'
import { feed } from '../data/feed.ts'
import { ServiceLink } from './bits.tsx'
import { Empty } from './states.tsx'
import { Ago } from './time.tsx'

/** What fits beside the rest of the page. */
const MAX_SHOWN = 14

/** What happens in the node, as it happens. */
export function Feed(): JSX.Element {
  const items = feed.value
  if (items.length === 0) {
    return (
      <Empty title="Nothing has happened yet">
        This list begins when the page is opened: what happens next appears here.
      </Empty>
    )
  }
  return (
    <ol class="feed" aria-label="Activity, newest first">
      {items.slice(0, MAX_SHOWN).map(({ key, at, tone, text, service }) => (
        <li key={key} data-tone={tone}>
          <span class="feed-text">
            {service === undefined ? null : (
              <>
                <ServiceLink id={service.id} name={service.name} />{' '}
              </>
            )}
            {text}
          </span>
          <span class="soft small">
            <Ago at={Math.floor(at / 1000)} />
          </span>
        </li>
      ))}
    </ol>
  )
}
