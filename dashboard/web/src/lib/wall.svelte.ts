/** Wall mode (`?wall`): one screen that nobody touches; larger words, no buttons, nothing to scroll. */
class Wall {
  on = $state(typeof location !== 'undefined' && new URLSearchParams(location.search).has('wall'))

  /** The address says it too, so that a wall that is switched on anew comes back to it. */
  show(on: boolean): void {
    const address = new URL(location.href)
    if (on) address.searchParams.set('wall', '')
    else address.searchParams.delete('wall')
    history.replaceState(null, '', address.href.replace('wall=&', 'wall&').replace(/wall=(?=#|$)/, 'wall'))
    this.on = on
  }
}

export const wall = new Wall()
