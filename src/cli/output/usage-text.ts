import { sanitizeText } from '../../base/format.ts'

const MONEY = new Intl.NumberFormat('en', { maximumSignificantDigits: 4, useGrouping: false })

/** What a receipt says of usage, for people: a line for all of it and one for the newest period, money rounded. */
export function usageLines(message: string): string[] {
  const [sum = '', period] = sanitizeText(message, 400).split('; of that last ')
  const all = `used in all: ${rounded(sum)}`
  return period === undefined ? [all] : [all, `of that in the last ${rounded(period)}`]
}

/** Only an amount of money has so many digits. */
function rounded(text: string): string {
  return text.replace(/\b\d+\.\d{7,}(?= )/g, (amount) => MONEY.format(Number(amount)))
}
