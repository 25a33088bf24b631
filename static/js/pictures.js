/*
 * Choosing one's own picture: it is shown before it is sent, and one that is too large is not sent.
 */

const LARGEST_BYTES = 8 * 1024 * 1024

/** Begin to watch the field, where the page has one. */
export function start() {
  const field = document.querySelector('#avatar')
  field?.addEventListener('change', () => chosen(field))
}

function chosen(field) {
  const [file] = field.files
  const fits = !file || file.size <= LARGEST_BYTES
  field.setCustomValidity(fits ? '' : field.dataset.tooLarge)
  field.reportValidity()
  const shown = field.closest('.picture').querySelector('img')
  shown.dataset.given ??= shown.src
  URL.revokeObjectURL(shown.src)
  shown.src = file && fits ? URL.createObjectURL(file) : shown.dataset.given
}
