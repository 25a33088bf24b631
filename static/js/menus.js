/*
 * Menus are <details>; this closes them on Escape and on a click elsewhere, as people expect.
 */

/** Begin to listen. */
export function start() {
  document.addEventListener('click', (event) => closeAll(event.target.closest('details.menu')))
  document.addEventListener('keydown', (event) => {
    const menu = event.key === 'Escape' && event.target.closest('details.menu[open]')
    if (!menu) return
    menu.open = false
    menu.querySelector('summary').focus()
  })
}

function closeAll(except) {
  for (const menu of document.querySelectorAll('details.menu[open]')) {
    if (menu !== except) menu.open = false
  }
}
