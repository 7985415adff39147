import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { useLog } from '../../data/log-stream.ts'
import { visible } from '../../data/text.ts'
import { Card } from '../../parts/bits.tsx'
import { ProblemBox } from '../../parts/states.tsx'

/** So near its end, a person reads what comes. */
const NEAR_PX = 24

const STATES = { following: 'live', ended: 'the run has ended', broken: 'broken off' } as const
const STREAMS = { out: '', err: 'error output', node: 'from the node' } as const

/** What the run writes, as it writes it. It moves along for as long as a person looks at its end. */
export function RunLog({ id, runId }: { id: string; runId: string }): JSX.Element {
  const { lines, state, problem } = useLog(id, runId)
  const box = useRef<HTMLDivElement>(null)
  const [atEnd, setAtEnd] = useState(true)
  useLayoutEffect(() => {
    if (atEnd && box.current !== null) box.current.scrollTop = box.current.scrollHeight
  }, [lines, atEnd])
  useEffect(() => setAtEnd(true), [runId])
  const look = ({ currentTarget: { scrollTop, scrollHeight, clientHeight } }: { currentTarget: HTMLElement }) =>
    setAtEnd(scrollHeight - scrollTop - clientHeight < NEAR_PX)
  return (
    <Card title="Log" note={STATES[state]}>
      {problem === undefined ? null : <ProblemBox problem={problem} />}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: without it a keyboard cannot scroll */}
      <div class="log" role="log" aria-label="Log of the run" aria-live="off" tabIndex={0} ref={box} onScroll={look}>
        {lines.length === 0 ? <p class="soft">It has written nothing.</p> : null}
        {lines.map(({ key, at, stream, line }) => (
          <div key={key} class="log-line" data-stream={stream}>
            <time dateTime={new Date(at).toISOString()}>{new Date(at).toLocaleTimeString('en-GB')}</time>
            <span>
              {STREAMS[stream] === '' ? null : <span class="unseen">{STREAMS[stream]}: </span>}
              {visible(line, 4_000)}
            </span>
          </div>
        ))}
      </div>
      {atEnd ? null : (
        <button type="button" class="button" onClick={() => setAtEnd(true)}>
          Go to the end
        </button>
      )}
    </Card>
  )
}
