import { connect, type Socket } from 'node:net';
import { seededRandom } from '../../deploy/local/sample/random.ts';

/** How a connection to Kafka is lost, and how often that has been done. */
export interface Losses {
  /** Before the request has left: nothing is stored. */
  request: number;
  /** When the answer comes: all is stored. */
  answer: number;
  /** In the midst of the answer. */
  halfAnswer: number;
}

const PRODUCE = 0;
/** Where in a request of Kafka's protocol its kind stands; its length is before it. */
const API_KEY = 4;
/** Of an answer: its length and half of what tells which request it is for. */
const HALF = 6;

/**
 * Sockets for kafkajs that now and then lose the connection around a produce request.
 * @param chance of each kind of loss, for each produce request
 */
export function losingSockets(seed: number, chance: number) {
  const random = seededRandom(seed);
  const losses: Losses = { request: 0, answer: 0, halfAnswer: 0 };
  const open = ({ host, port, onConnect }: { host: string; port: number; onConnect: () => void }): Socket => {
    const socket = connect({ host, port }, onConnect);
    const write = socket.write.bind(socket) as (bytes: Buffer, ...rest: unknown[]) => boolean;
    const emit = socket.emit.bind(socket) as (event: string | symbol, ...args: unknown[]) => boolean;
    let fate: keyof Losses | undefined;
    const lose = (): void => {
      if (fate) losses[fate]++;
      socket.destroy(new Error('lost on purpose'));
    };
    socket.write = (bytes: Buffer, ...rest: unknown[]) => {
      const at = bytes.readInt16BE(API_KEY) === PRODUCE ? random() / chance : Number.POSITIVE_INFINITY;
      fate = (['request', 'answer', 'halfAnswer'] as const)[Math.floor(at)];
      if (fate !== 'request') return write(bytes, ...rest);
      lose();
      return false;
    };
    socket.emit = (event: string | symbol, ...args: unknown[]) => {
      if (event !== 'data' || fate === undefined) return emit(event, ...args);
      if (fate === 'halfAnswer') emit(event, (args[0] as Buffer).subarray(0, HALF));
      lose();
      return true;
    };
    return socket;
  };
  return { open, losses };
}
