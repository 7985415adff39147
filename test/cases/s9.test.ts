import { test } from 'vitest'
import { expectHeld } from './attack.ts'

test('a list that never ends is read for one round', () => expectHeld('S9'), 180_000)
