import type { JSX } from 'preact'
export function Dormitory(): JSX.Element {
  return <h1>Dormitory</h1>
}
