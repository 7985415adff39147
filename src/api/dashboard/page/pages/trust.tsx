import type { JSX } from 'preact'
export function Trust(): JSX.Element {
  return <h1>Trust</h1>
}
