import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from './temporary-directory.ts';
import { until } from './until.ts';

const tool = join(import.meta.dirname, '..', '..', 'bin', 'tributary.mjs');

/** One for all commands of a page, so that what one defines the next one knows. */
export class Shell {
  readonly #child: ChildProcess;
  readonly #directory: string;
  #said = '';

  /**
   * @param addresses where here stands what the page says stands at an address; the tool is that of this folder
   * @param directory where the commands are run
   */
  constructor(
    env: NodeJS.ProcessEnv,
    addresses: Readonly<Record<string, string>>,
    directory: string = temporaryDirectory(),
  ) {
    this.#directory = directory;
    this.#child = spawn('bash', { cwd: directory, env, stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdout?.on('data', (data) => {
      this.#said += String(data);
    });
    const slashed = (text: string): string => text.replaceAll('/', '\\/');
    const moves = Object.entries(addresses).map(([from, to]) => `set -- "\${@/#${slashed(from)}/${slashed(to)}}"`);
    this.#child.stdin?.write(`
      curl() { ${moves.join('; ')}; command curl "$@"; }
      npx() { [ "$1" = tributary ] && shift && '${process.execPath}' '${tool}' "$@"; }
    `);
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.#directory, file), text);
  }

  /** @returns what the commands have said */
  async run(commands: string): Promise<string> {
    this.#said = '';
    this.#child.stdin?.write(`{\n${commands}\n} </dev/null 2>&1\necho; echo "ended: $?"\n`);
    await until('the commands have ended', () => /\nended: \d+\n$/.test(this.#said));
    return this.#said.replace(/\n+ended: \d+\n$/, '');
  }

  end(): void {
    this.#child.kill();
  }
}
