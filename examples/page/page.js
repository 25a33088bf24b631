// A home feed, live, on a page of any origin: python -m http.server 9000
const [form] = document.forms
const status = document.querySelector('[role=status]')
const list = document.querySelector('ol')
const where = { topics: 'home' }

form.addEventListener('submit', async (event) => {
  event.preventDefault()
  const { site, name, password } = Object.fromEntries(new FormData(form))
  const authorization = `Basic ${btoa(`${name}:${password}`)}`
  const answer = await fetch(`${site}/api/tokens`, { method: 'POST', headers: { authorization } })
  const said = await answer.json()
  if (!answer.ok) return void (status.textContent = said.detail)
  form.hidden = true
  const now = await get(`${site}/api/events`, said.token) // the position first, then what was before
  Object.assign(where, { since: now.cursor, epoch: now.epoch })
  const page = await get(`${site}/api/timelines/home`, said.token)
  page.items.reverse().forEach(show)
  listen(site, said.token)
})

const get = async (address, token) =>
  (await fetch(address, { headers: { authorization: `Bearer ${token}` } })).json()

function listen(site, token) {
  const address = `${site.replace('http', 'ws')}/live?${new URLSearchParams(where)}`
  const socket = new WebSocket(address, ['microblog.v1', `bearer.${token}`])
  socket.onopen = () => { status.textContent = 'Live' }
  socket.onclose = () => { status.textContent = 'Reconnecting'; setTimeout(listen, 1000, site, token) }
  socket.onmessage = ({ data }) => {
    const frame = JSON.parse(data)
    if (frame.type === 'heartbeat') socket.send(data)
    for (const { kind, data: post } of frame.items ?? []) if (kind === 'post.published') show(post)
    if (frame.type !== 'hello') where.since = frame.cursor
  }
}

function show(post) {
  if (document.getElementById(post.id)) return
  list.prepend(Object.assign(document.createElement('li'), { id: post.id, textContent: `${post.author.display_name}: ${post.body}` }))
}
