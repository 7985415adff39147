import type { JSX } from 'preact'
export function Policy(): JSX.Element {
  return <h1>Policy</h1>
}
