import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '#shared/service/log.ts';
import type { Service } from '#shared/service/service.ts';
import { type Grant, scopeNames } from '../core/scopes.ts';
import { type Grants, OWN_TOKEN, readTokens } from '../core/token-file.ts';

const LOOK_MS = 2_000;

export interface TokensOptions {
  /** The installation's own token, which may do everything. */
  readonly own: string;
  /** File with more; none when empty. */
  readonly path: string;
  /** Of each token that has none of its own. */
  readonly limit: Grant['limit'];
  readonly log: Log;
  readonly lookMs?: number;
}

/**
 * Who may ask, and what. The file is read at the start, where a mistake is fatal, and again when it changes: with a mistake in it, or
 * gone, what was read before stays in force. Of tokens only hashes are kept, and looked up by: how long that takes tells nothing.
 */
export class Tokens implements Service {
  readonly name = 'tokens';
  readonly #options: TokensOptions;
  readonly #own: string;
  readonly #grant: Grant;
  readonly #stopping = new AbortController();
  #text: string | undefined;
  #grants: Grants = new Map();

  /** @throws Error which says what is wrong with the file, and where */
  constructor(options: TokensOptions) {
    this.#options = options;
    this.#own = hash('sha256', options.own);
    this.#grant = { name: OWN_TOKEN, scopes: new Set(scopeNames), limit: options.limit };
    this.#look();
  }

  /** What this token may do; undefined where there is no such token. */
  grantOf(token: string): Grant | undefined {
    const shown = hash('sha256', token);
    return shown === this.#own ? this.#grant : this.#grants.get(shown);
  }

  async run(): Promise<void> {
    const { lookMs = LOOK_MS, log, path } = this.#options;
    const { signal } = this.#stopping;
    let said: string | undefined;
    while (!signal.aborted) {
      await sleep(lookMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        this.#look();
        said = undefined;
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        if (reason !== said)
          log.error({ path, reason }, 'the file of tokens cannot be taken; the one before stays in force');
        said = reason;
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
  }

  #look(): void {
    const { path, limit, log } = this.#options;
    if (path === '') return;
    // Small, and in the page cache: cheaper to read than to trust times of files that are links, as secrets in Kubernetes are.
    const text = readFileSync(path, 'utf8');
    if (text === this.#text) return;
    const read = readTokens(text, limit);
    if ('errors' in read) throw new Error(read.errors.map((error) => `${path}:${error}`).join('\n'));
    if (read.grants.has(this.#own)) throw new Error(`${path}: one of the tokens is the installation's own`);
    this.#text = text;
    this.#grants = read.grants;
    log.info({ tokens: [...read.grants.values()].map(({ name }) => name) }, 'tokens read');
  }
}
