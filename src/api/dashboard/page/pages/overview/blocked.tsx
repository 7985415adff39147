import type { JSX } from 'preact'
import type { BlockView } from '../../../../../node/types.ts'
import type { LiveEvent } from '../../data/live.ts'
import { useResource } from '../../data/resource.ts'
import { many, visible } from '../../data/text.ts'
import { Card } from '../../parts/bits.tsx'
import { AuthorLink, CodeLink, PeerLink } from '../../parts/links.tsx'
import { Show } from '../../parts/states.tsx'
import { Ago } from '../../parts/time.tsx'

/** The newest; the command shows all. */
const MAX_ROWS = 8

const concernsBlocks = ({ name }: LiveEvent) => /^node:(un)?blocked$/.test(name)

/** What the operator has blocked beside the policy; nothing where that is nothing. */
export function Blocked(): JSX.Element {
  const list = useResource<{ blocks: BlockView[] }>('/blocks', concernsBlocks)
  return <Show of={list}>{({ blocks }) => (blocks.length === 0 ? null : <Blocks blocks={blocks} />)}</Show>
}

function Blocks({ blocks }: { blocks: readonly BlockView[] }): JSX.Element {
  const newest = blocks.slice(-MAX_ROWS).reverse()
  return (
    <Card
      title="Blocked"
      note={newest.length < blocks.length ? `the newest of ${many(blocks.length, 'block')}` : 'by the operator'}
    >
      <ul class="rows">
        {newest.map(({ kind, subject, since, until, note, keepsRuns }) => (
          <li key={`${kind} ${subject}`}>
            <b>{kind}</b> <Subject kind={kind} of={subject} />
            <div class="soft small">
              since <Ago at={since} />
              {until === undefined ? null : (
                <>
                  , ends <Ago at={until} />
                </>
              )}
              {keepsRuns ? ', what runs of it goes on' : null}
              {note === undefined ? null : (
                <>
                  : <bdi>{visible(note, 200)}</bdi>
                </>
              )}
            </div>
          </li>
        ))}
      </ul>
      <p class="soft small">
        <code>thundercloud unblock</code> ends a block.
      </p>
    </Card>
  )
}

function Subject({ kind, of }: { kind: BlockView['kind']; of: string }): JSX.Element {
  if (kind === 'author') return <AuthorLink of={of} />
  return kind === 'code' ? <CodeLink of={of} /> : <PeerLink of={of} />
}
