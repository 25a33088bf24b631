/* The page's icon in the browser's tab, with a number drawn on it. */

const SIZE = 64
const RADIUS = 21
const RED = '#c8102e'

const link = document.querySelector('link[rel=icon]')
const { href, type } = link
let wanted = ''

/** Show a short text on the icon, or the plain icon for ''. */
export async function showOnIcon(text) {
  if (text === wanted) return
  wanted = text
  const shown = text ? { href: await drawn(text), type: 'image/png' } : { href, type }
  if (wanted === text) Object.assign(link, shown)
}

async function drawn(text) {
  const image = new Image()
  image.src = href
  await image.decode()
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = SIZE
  const pen = canvas.getContext('2d')
  pen.drawImage(image, 0, 0, SIZE, SIZE)
  pen.translate(SIZE - RADIUS, RADIUS)
  pen.fillStyle = RED
  pen.arc(0, 0, RADIUS, 0, 7)
  pen.fill()
  pen.fillStyle = '#fff'
  pen.font = 'bold 28px sans-serif'
  pen.textAlign = 'center'
  pen.fillText(text, 0, 10)
  return canvas.toDataURL()
}
