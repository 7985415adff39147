import type { JSX } from 'preact'
export function Why(): JSX.Element {
  return <h1>Why</h1>
}
