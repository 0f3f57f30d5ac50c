import { Agent, type IncomingMessage, request } from 'node:http'

/** What came for one request. */
export interface Received {
  readonly status: number
  readonly location: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly text: string
  /** Bytes of head and body. */
  readonly bytes: number
  /** From sending to the last byte. */
  readonly milliseconds: number
}

/** A browser without a screen: keeps cookies and its connection, fills in forms, and weighs what comes. */
export class Visitor {
  readonly #port: number
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })
  readonly #cookies = new Map<string, string>()

  constructor(port: number) {
    this.#port = port
  }

  get(path: string): Promise<Received> {
    return this.#send('GET', path)
  }

  /** Signs in at once, as a program would. */
  async signIn(fields: object): Promise<void> {
    const { status } = await this.#send('POST', '/auth/authenticate/', {
      type: 'application/json',
      body: JSON.stringify(fields),
    })
    if (status !== 200) throw new Error(`Signing in was answered ${status}.`)
  }

  /** Sends the form of a page that goes to `action`, with what it hides and the given fields. */
  submit(
    { text }: Received,
    action: string,
    fields: Readonly<Record<string, string>> = {},
  ): Promise<Received> {
    const form = text.split('<form ').find((each) => each.includes(` action="${action}"`))
    if (form === undefined) throw new Error(`There is no form for ${action} on the page.`)
    const [own = ''] = form.split('</form>')
    const hidden = [...own.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)]
    const all = { ...Object.fromEntries(hidden.map(([, name, value]) => [name, value])), ...fields }
    const type = 'application/x-www-form-urlencoded'
    return this.#send('POST', action, { type, body: String(new URLSearchParams(all)) })
  }

  close(): void {
    this.#agent.destroy()
  }

  #send(method: string, path: string, content?: { type: string; body: string }): Promise<Received> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = {
      host: 'auth.example.com',
      accept: 'text/html',
      'accept-language': 'en',
      ...(cookie !== '' && { cookie }),
      ...(content !== undefined && {
        'content-type': content.type,
        'content-length': Buffer.byteLength(content.body),
      }),
    }
    const began = performance.now()
    return new Promise((resolve, reject) => {
      const outgoing = request({
        host: '127.0.0.1',
        port: this.#port,
        agent: this.#agent,
        method,
        path,
        headers,
      })
      outgoing.on('error', reject)
      outgoing.on('response', (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('error', reject)
        answer.on('end', () => {
          const body = Buffer.concat(chunks)
          this.#keep(answer.headers['set-cookie'] ?? [])
          resolve({
            status: answer.statusCode ?? 0,
            location: answer.headers.location,
            headers: answer.headers,
            text: body.toString(),
            bytes: headBytes(answer) + body.length,
            milliseconds: performance.now() - began,
          })
        })
      })
      outgoing.end(content?.body)
    })
  }

  #keep(cookies: readonly string[]): void {
    for (const cookie of cookies) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      if (value === '' || /max-age=0/i.test(cookie)) this.#cookies.delete(name)
      else this.#cookies.set(name, value)
    }
  }
}

function headBytes({ statusMessage = '', rawHeaders }: IncomingMessage): number {
  const line = `HTTP/1.1 200 ${statusMessage}\r\n\r\n`.length
  // Each name and each value is followed by two bytes.
  return rawHeaders.reduce((sum, part) => sum + Buffer.byteLength(part) + 2, line)
}
