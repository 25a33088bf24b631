// A home feed, live, on a page of any origin: python -m http.server 9000
const [form] = document.forms
const status = document.querySelector('[role=status]')
const list = document.querySelector('ol')

form.onsubmit = (event) => {
  event.preventDefault()
  const { site, name, password } = Object.fromEntries(new FormData(form))
  const basic = btoa(String.fromCharCode(...new TextEncoder().encode(`${name}:${password}`)))
  connect(site, { method: 'POST', headers: { authorization: `Basic ${basic}` } })
}

async function connect(site, how, where) {
  const again = (how) => {
    status.textContent = 'Reconnecting'
    setTimeout(connect, 1000 + 1000 * Math.random(), site, how, where)
  }
  try {
    const { token, refresh_token, detail } = await call(`${site}/api/tokens`, how)
    form.hidden = Boolean(token)
    if (!token) return void (status.textContent = detail)
    where ??= await load(site, { headers: { authorization: `Bearer ${token}` } })
    const address = `${site.replace('http', 'ws')}/live?${new URLSearchParams(where)}`
    const socket = new WebSocket(address, ['microblog.v1', `bearer.${token}`])
    const headers = { 'content-type': 'application/json' }
    const renewal = { method: 'PUT', headers, body: JSON.stringify({ refresh_token }) }
    socket.onopen = () => { status.textContent = 'Live' }
    socket.onclose = () => again(renewal)
    socket.onmessage = ({ data: text }) => {
      const { type, cursor, items = [] } = JSON.parse(text)
      if (type === 'heartbeat') socket.send(text)
      if (type === 'resync') where = socket.close() // nowhere: all is to be loaded anew
      for (const { kind, data } of items) if (kind === 'post.published') show(data)
      if (where && cursor && type !== 'hello') where.since = cursor
    }
  } catch { again(how) }
}

async function call(address, how) {
  const answer = await fetch(address, how)
  return answer.status < 500 ? answer.json() : Promise.reject(answer)
}

async function load(site, how) {
  const { cursor, epoch } = await call(`${site}/api/events`, how) // first the place
  const { items } = await call(`${site}/api/timelines/home`, how)
  list.replaceChildren()
  items.reverse().forEach(show)
  return { topics: 'home', since: cursor, epoch }
}

function show(post) {
  if (document.getElementById(post.id)) return
  const textContent = `${post.author.display_name}: ${post.body}`
  list.prepend(Object.assign(document.createElement('li'), { id: post.id, textContent }))
}
