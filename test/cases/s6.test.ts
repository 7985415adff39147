import { test } from 'vitest'
import { expectHeld } from './attack.ts'

test('empty frames at any rate hold nobody up', () => expectHeld('S6'), 180_000)
