/*
 * Posting a form in the background. Answers are JSON: the thing itself, or a problem
 * `{title, detail, errors}`. A lost connection throws, as fetch does.
 */

const TIMEOUT_MS = 15000

/**
 * POST the fields; return { ok, status, body }: body is the JSON, or null for another type. `how`
 * may hold more options of fetch.
 */
export async function post(address, fields, how) {
  const response = await fetch(address, {
    method: 'POST',
    body: new URLSearchParams(fields),
    headers: { Accept: 'application/json' },
    signal: AbortSignal.timeout(TIMEOUT_MS),
    ...how,
  })
  const isJson = /\bjson\b/.test(response.headers.get('Content-Type') ?? '')
  const body = isJson ? await response.json() : null
  return { ok: response.ok, status: response.status, body }
}

/** Say a problem in one line: the messages of its fields, else its detail or title. */
export function reason(problem, otherwise) {
  const messages = Object.values(problem?.errors ?? {}).flat()
  return messages.join(' ') || problem?.detail || problem?.title || otherwise
}

/** The token that every form of this page carries. */
export const csrfToken = () => document.querySelector('#act [name=csrf_token]').value

/** Make an idempotency key; crypto.randomUUID is missing on plain HTTP. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
