import type { JSX } from 'preact'
export function Neighbours(): JSX.Element {
  return <h1>Neighbours</h1>
}
