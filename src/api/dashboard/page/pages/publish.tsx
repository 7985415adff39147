import type { JSX } from 'preact'
export function Publish(): JSX.Element {
  return <h1>Publish</h1>
}
