import { signal } from '@preact/signals'
import type { JSX } from 'preact'

const KEY = 'thundercloud-theme'
const THEMES = ['auto', 'light', 'dark'] as const
type Theme = (typeof THEMES)[number]
const TEXTS: Record<Theme, string> = { auto: 'System', light: 'Light', dark: 'Dark' }

const theme = signal<Theme>(THEMES.find((each) => each === localStorage.getItem(KEY)) ?? 'auto')
theme.subscribe((value) => {
  document.documentElement.dataset.theme = value
})

/** How the dashboard looks is the one thing that it keeps in the browser. */
export function ThemeSwitch(): JSX.Element {
  const choose = (value: Theme) => {
    theme.value = value
    localStorage.setItem(KEY, value)
  }
  return (
    <fieldset class="segments">
      <legend class="unseen">Colours</legend>
      {THEMES.map((each) => (
        <label key={each}>
          <input type="radio" name="theme" checked={theme.value === each} onChange={() => choose(each)} />
          <span>{TEXTS[each]}</span>
        </label>
      ))}
    </fieldset>
  )
}
