import { test } from 'vitest'
import { expectHeld } from './attack.ts'

test(
  'silent connections from one address or from sixteen keep no honest peer out',
  () => expectHeld('S5', 'S5b'),
  180_000,
)
