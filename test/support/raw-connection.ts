import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** A connection on which anything can be said, also what no HTTP client would say. */
export class RawConnection {
  readonly socket: Socket;
  #received = '';
  #ended = false;
  #arrived: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      this.#received += chunk;
      this.#arrived();
    });
    for (const end of ['end', 'error', 'close'])
      socket.on(end, () => {
        this.#ended = true;
        this.#arrived();
      });
  }

  static async open(url: string): Promise<RawConnection> {
    const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true });
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  say(words: string | Uint8Array): this {
    this.socket.write(words);
    return this;
  }

  /** The next answer; undefined when the other side has closed without one. */
  async answer(): Promise<RawAnswer | undefined> {
    for (;;) {
      const answer = this.#take();
      if (answer || this.#ended) return answer;
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
  }

  /** All answers until the other side closes. */
  async answers(): Promise<RawAnswer[]> {
    const answers: RawAnswer[] = [];
    for (let answer = await this.answer(); answer; answer = await this.answer()) answers.push(answer);
    return answers;
  }

  #take(): RawAnswer | undefined {
    const headEnd = this.#received.indexOf('\r\n\r\n');
    if (headEnd < 0) return undefined;
    const head = this.#received.slice(0, headEnd);
    const bodyEnd = headEnd + 4 + Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
    if (this.#received.length < bodyEnd) return undefined;
    const body = this.#received.slice(headEnd + 4, bodyEnd);
    this.#received = this.#received.slice(bodyEnd);
    return { status: Number(head.slice(9, 12)), head, body };
  }
}
