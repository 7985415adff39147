import type { JSX } from 'preact'

/** Drawn on a grid of 20, one stroke width, in the colour of the text beside them. */
const PATHS = {
  overview: 'M3 11h4v6H3zM8 3h4v14H8zM13 7h4v10h-4z',
  services: 'M3 4h14v4H3zM3 12h14v4H3zM6 6h.01M6 14h.01',
  waiting: 'M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM10 6v4l3 2',
  neighbours:
    'M10 7a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM5 17a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM15 17a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM9 7l-3 6M11 7l3 6M7 15h6',
  trust: 'M10 3l6 2.5V10c0 3.5-2.5 6-6 7-3.500-1-6-3.500-6-7V5.500zM7.500 10l2 2 3.500-4',
  policy: 'M4 5h7M15 5h1M4 10h2M10 10h6M4 15h6M14 15h2M13 3v4M8 8v4M12 13v4',
  publish: 'M10 13V4M6.500 7.500L10 4l3.500 3.500M4 12v4h12v-4',
  sessions: 'M4 9h12v8H4zM7 9V6a3 3 0 0 1 6 0v3',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name }: { name: IconName }): JSX.Element {
  return (
    <svg
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      stroke-width="1.5"
      stroke-linejoin="round"
      stroke-linecap="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  )
}

export function Mark(): JSX.Element {
  return (
    <svg viewBox="0 0 32 32" fill="currentColor" aria-hidden="true">
      <path d="M9.500 22a6.500 6.500 0 0 1-.7-12.960A8 8 0 0 1 24 10.600 5.750 5.750 0 0 1 23 22h-3.200l2-4.600h-4L20 11h-5l-3.400 8h4l-1.300 3z" />
      <path d="M13.300 30l5.600-8.400h-3.400l1.200-3.200-5 7.600h3.200z" />
    </svg>
  )
}
