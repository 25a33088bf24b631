/*
 * The icon of the page in the browser's tab: with a number on it, drawn over the plain one.
 */

const SIZE = 64
const [X, Y, RADIUS] = [43, 21, 21]

const link = document.querySelector('link[rel=icon]')
const plain = { href: link.href, type: link.type }
let wanted = ''

/** Show a short text on the icon, or the plain icon for ''. */
export async function showOnIcon(text) {
  if (text === wanted) return
  wanted = text
  const shown = text ? { href: await drawn(text), type: 'image/png' } : plain
  if (wanted === text) Object.assign(link, shown)
}

async function drawn(text) {
  const image = new Image(SIZE, SIZE)
  image.src = plain.href
  await image.decode()
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = SIZE
  const pen = canvas.getContext('2d')
  pen.drawImage(image, 0, 0, SIZE, SIZE)
  pen.arc(X, Y, RADIUS, 0, 2 * Math.PI)
  pen.fillStyle = '#c8102e'
  pen.fill()
  pen.fillStyle = '#fff'
  pen.font = `bold ${text.length > 1 ? 26 : 32}px sans-serif`
  pen.textAlign = 'center'
  pen.textBaseline = 'middle'
  pen.fillText(text, X, Y + 2)
  return canvas.toDataURL()
}
