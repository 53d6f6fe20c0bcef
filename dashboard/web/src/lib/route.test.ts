import { describe, expect, it } from 'vitest'
import { placeOf, to } from './route.svelte'

describe('a page has an address', () => {
  it('is read back as it was written', () => {
    const place = placeOf(to('device', '窗口/3', { range: '4h' }))
    expect([place.page, place.id, place.query.get('range')]).toEqual(['device', '窗口/3', '4h'])
  })

  it('is the hall where the fragment names no page', () => {
    for (const fragment of ['', '#', '#problems', '#/', '#/nothing', to('hall')]) expect(placeOf(fragment).page).toBe('hall')
  })

  it('keeps an id that nobody could have written', () => {
    expect(placeOf('#/device/%E0%A4%A').id).toBe('%E0%A4%A')
  })
})
