import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { PastPolicy, PastPolicyText, PolicyAuthor } from '../../../../../node/types.ts'
import type { LiveEvent } from '../../data/live.ts'
import { useResource } from '../../data/resource.ts'
import { pathTo } from '../../data/router.ts'
import { many, visible } from '../../data/text.ts'
import { Card } from '../../parts/bits.tsx'
import { Show } from '../../parts/states.tsx'
import { Ago } from '../../parts/time.tsx'
import { Diff } from './diff.tsx'

/** Rows until more are asked for. */
const FEW = 8

type Props = {
  /** what the disk says */
  readonly current: string
  /** into the editor */
  take(text: string): void
  /** into the editor, and asked about at once */
  revert(text: string): void
}

/** Policies that were in force, by whom, and the way back to each. */
export function History(props: Props): JSX.Element {
  const list = useResource<{ policies: readonly PastPolicy[] }>(
    '/policy/history',
    ({ name }: LiveEvent) => name === 'node:policy',
  )
  const [all, setAll] = useState(false)
  return (
    <Card title="History" note="what was in force, newest first">
      <Show of={list}>
        {({ policies }) => (
          <>
            <ul class="rows">
              {policies.slice(0, all ? policies.length : FEW).map((policy) => (
                <Entry key={policy.number} policy={policy} {...props} />
              ))}
            </ul>
            {policies.length === 0 ? <p class="soft">Nothing is in the history yet.</p> : null}
            {!all && policies.length > FEW ? (
              <button type="button" class="button" onClick={() => setAll(true)}>
                Show all {policies.length}
              </button>
            ) : null}
          </>
        )}
      </Show>
    </Card>
  )
}

function Entry({ policy, ...props }: Props & { policy: PastPolicy }): JSX.Element {
  const { number, at, by, added, removed, newest, sameAs } = policy
  const [open, setOpen] = useState(false)
  return (
    <li class="past">
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <b>Policy {number}</b>, <Ago at={at} />
          {newest ? (
            <>
              {' '}
              <span class="state" data-tone="good">
                the newest
              </span>
            </>
          ) : null}
        </summary>
        {open ? <Opened number={number} {...props} /> : null}
      </details>
      <div class="soft small">
        by <Author by={by} />; {many(added, 'line')} added, {removed.toLocaleString('en')} removed
        {sameAs === undefined ? '' : `; the same as policy ${sameAs}`}
      </div>
    </li>
  )
}

function Author({ by: { kind, id, label } }: { by: PolicyAuthor }): JSX.Element {
  if (kind === 'file') return <>the file: it was changed on the disk</>
  if (kind === 'socket') return <>a command, over the operator's socket</>
  if (kind === 'token') {
    return (
      <>
        the token <bdi>{visible(label, 80)}</bdi>
      </>
    )
  }
  return (
    <>
      <a href={pathTo('sessions')}>a session</a> of the dashboard ({visible(id, 20)}), opened by{' '}
      <bdi>{visible(label, 80)}</bdi>
    </>
  )
}

/** What it says other than the disk, and the way back to it. */
function Opened({ number, current, take, revert }: Props & { number: number }): JSX.Element {
  const past = useResource<PastPolicyText>(`/policy/history/${number}`)
  return (
    <Show of={past}>
      {({ text }) => (
        <div class="stack">
          <p class="soft">
            {text === current ? 'The disk says the same now.' : 'What a revert to it would change now:'}
          </p>
          {text === current ? null : (
            <>
              <Diff before={current} after={text} />
              <div class="buttons">
                <button type="button" class="button" onClick={() => revert(text)}>
                  Revert to policy {number}…
                </button>
                <button type="button" class="button" onClick={() => take(text)}>
                  Put it into the editor
                </button>
              </div>
            </>
          )}
        </div>
      )}
    </Show>
  )
}
