import { closeSync, copyFileSync, openSync, readSync, statSync, truncateSync } from 'node:fs';

const largestBytes = 10 * 1024 * 1024;

/**
 * A child's log. The child writes to the file itself, so nothing is lost when the supervisor dies; when it has grown too
 * large its content moves to `….1` and it starts over.
 */
export class LogFile {
  readonly path: string;
  #startedAt = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** A descriptor for a child's output; the caller closes it once the child has it. */
  open(): number {
    const descriptor = openSync(this.path, 'a');
    this.#startedAt = statSync(this.path).size;
    return descriptor;
  }

  rotate(): void {
    if (this.#size() < largestBytes) return;
    copyFileSync(this.path, `${this.path}.1`);
    truncateSync(this.path, 0);
    this.#startedAt = 0;
  }

  /** The line that says best why the last process ended; empty if it said nothing. */
  complaint(): string {
    const size = this.#size();
    const from = Math.max(Math.min(this.#startedAt, size), size - 16 * 1024);
    const buffer = Buffer.alloc(size - from);
    const descriptor = openSync(this.path, 'r');
    try {
      readSync(descriptor, buffer, 0, buffer.length, from);
    } finally {
      closeSync(descriptor);
    }
    return complaintIn(buffer.toString('utf8'));
  }

  #size(): number {
    try {
      return statSync(this.path).size;
    } catch {
      return 0;
    }
  }
}

/** The last error in a log: a JSON line of level error or worse, a line that names an error, or simply the last line. */
export function complaintIn(log: string): string {
  const lines = log.split('\n').filter((line) => line.trim() !== '');
  const readable = lines.map(messageOf);
  const worst = readable.findLast(({ error }) => error) ?? readable.at(-1);
  return (worst?.text ?? '').slice(0, 300);
}

function messageOf(line: string): { text: string; error: boolean } {
  if (line.startsWith('{')) {
    try {
      const entry = JSON.parse(line) as { level?: number; msg?: string; err?: { message?: string } };
      const text = [entry.msg, entry.err?.message].filter(Boolean).join(': ');
      return { text, error: (entry.level ?? 0) >= 50 };
    } catch {
      return { text: line, error: false };
    }
  }
  return { text: line.trim(), error: /^\S*(Error|Exception)\b|\b(ERROR|FATAL)\b/.test(line) };
}
