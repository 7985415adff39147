import type { JSX } from 'preact'
import { connection, retryNow } from '../data/live.ts'
import { useNow } from './time.tsx'

const TEXTS = { connecting: 'Connecting', live: 'Live', lost: 'Not connected', 'signed-out': 'Signed out' }

export function LinkState(): JSX.Element {
  const { state } = connection.value
  return (
    <p class="link-state" data-state={state} role="status">
      {TEXTS[state]}
    </p>
  )
}

/** What is on the screen is old from the moment on at which the connection is gone. */
export function Lost(): JSX.Element | null {
  const now = connection.value
  return now.state === 'lost' ? <Banner since={now.since} retryAt={now.retryAt} /> : null
}

function Banner({ since, retryAt }: { since: number; retryAt: number }): JSX.Element {
  const now = useNow()
  const seconds = Math.max(0, Math.ceil((retryAt - now) / 1000))
  return (
    <div class="lost" role="alert">
      <strong>The connection to the node is lost.</strong>
      <span aria-hidden="true">
        What you see is as of {new Date(since).toLocaleTimeString()}.{' '}
        {seconds === 0 ? 'Trying now.' : `Next try in ${seconds} s.`}
      </span>
      <button type="button" class="button" onClick={retryNow}>
        Try now
      </button>
    </div>
  )
}
