import type { JSX } from 'preact'
export function Service(): JSX.Element {
  return <h1>Service</h1>
}
