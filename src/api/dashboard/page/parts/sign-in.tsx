import type { JSX } from 'preact'
import type { Problem } from '../data/request.ts'
import { Mark } from './icons.tsx'
import { ProblemBox } from './states.tsx'

/** Without a session: how to get one. There is no password, and nothing to type here. */
export function SignIn({ problem }: { problem: Problem | undefined }): JSX.Element {
  return (
    <main class="sign-in">
      <Mark />
      <h1>{problem === undefined ? 'You are signed out' : 'This address does not open a session'}</h1>
      {problem === undefined ? null : <ProblemBox problem={problem} />}
      <p>Run this on the node's machine. It prints an address that opens the dashboard once, within a minute.</p>
      <pre class="command">thundercloud dashboard</pre>
    </main>
  )
}
