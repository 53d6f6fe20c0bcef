import { describe, expect, it } from 'vitest'
import css from '../app.css?raw'

type Theme = 0 | 1
const TONES = ['good', 'info', 'warn', 'orange', 'alarm', 'off', 'unknown']

/** A token's colour in the light (0) or dark (1) theme. */
function token(name: string, theme: Theme): string {
  const found = css.match(new RegExp(`--${name}: (?:light-dark\\((#[0-9a-f]{6}), (#[0-9a-f]{6})\\)|(#[0-9a-f]{6}));`))
  const colour = found?.[3] ?? found?.[theme + 1]
  if (!colour) throw new Error(`--${name} has no colour`)
  return colour
}

/** Relative luminance and contrast as WCAG 2 defines them. */
function luminance(colour: string): number {
  const parts = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255)
  const [r, g, b] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
  return 0.2126 * (r ?? 0) + 0.7152 * (g ?? 0) + 0.0722 * (b ?? 0)
}

function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number]
  return (high + 0.05) / (low + 0.05)
}

describe.each([[0, 'light'], [1, 'dark']] as [Theme, string][])('contrast, theme %i %s', (theme) => {
  it.each(TONES)('of ink on the tile of tone %s', (tone) => {
    expect(contrast(token('ink', theme), token(tone, theme))).toBeGreaterThanOrEqual(4.5)
  })

  it.each(TONES)('of the words of tone %s on panels', (tone) => {
    for (const ground of ['panel', 'raised', 'bg']) {
      expect(contrast(token(`${tone}-text`, theme), token(ground, theme)), ground).toBeGreaterThanOrEqual(4.5)
    }
  })

  it('of text and quiet text', () => {
    for (const ground of ['panel', 'raised', 'bg', 'floor']) {
      expect(contrast(token('text', theme), token(ground, theme)), ground).toBeGreaterThanOrEqual(7)
      expect(contrast(token('muted', theme), token(ground, theme)), ground).toBeGreaterThanOrEqual(4.5)
    }
  })

  it('of the unknown hatching, both stripes', () => {
    expect(contrast(token('ink', theme), token('unknown-stripe', theme))).toBeGreaterThanOrEqual(4.5)
  })
})
