import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import type { LogFile } from '#shared/service/log-file.ts';
import { type Children, signal } from './children.ts';
import type { Unit } from './unit.ts';
import { stopped, transition, type UnitEffect, type UnitEvent, type UnitPolicy, type UnitState } from './unit-state.ts';

const probeEveryMs = 50;

/** Carries out what the state machine decides for one unit: spawns, probes, signals, waits. */
export class UnitRunner {
  readonly unit: Unit;
  readonly #policy: UnitPolicy;
  readonly #log: LogFile;
  readonly #children: Children;
  readonly #env: NodeJS.ProcessEnv;
  readonly #changed: (runner: UnitRunner) => void;
  #state: UnitState = stopped;
  #since = Date.now();
  #restarts = -1;
  #lastTrouble = '';
  #child: ChildProcess | undefined;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(
    unit: Unit,
    log: LogFile,
    children: Children,
    env: NodeJS.ProcessEnv,
    changed: (runner: UnitRunner) => void,
  ) {
    this.unit = unit;
    this.#log = log;
    this.#children = children;
    this.#env = env;
    this.#changed = changed;
    this.#policy = { kind: unit.kind, attempts: 5, firstBackOffMs: 200, longestBackOffMs: 10_000, steadyMs: 30_000 };
  }

  get state(): UnitState {
    return this.#state;
  }
  /** When it came into this state, milliseconds since the epoch. */
  get since(): number {
    return this.#since;
  }
  get restarts(): number {
    return Math.max(0, this.#restarts);
  }
  get isWaiting(): boolean {
    return this.#restarts < 0;
  }
  get pid(): number | undefined {
    return this.#child?.pid;
  }
  /** Why it last died; empty if it never has. */
  get lastTrouble(): string {
    return this.#lastTrouble;
  }

  start(): void {
    this.#handle({ type: 'start' });
  }

  stop(): void {
    this.#handle({ type: 'stop' });
  }

  kill(name: NodeJS.Signals): void {
    if (this.#child?.pid !== undefined) signal({ pid: this.#child.pid }, name);
  }

  #handle(event: UnitEvent): void {
    const { state, effects } = transition(this.#state, event, this.#policy);
    const changed = state !== this.#state;
    if (changed) {
      for (const timer of this.#timers) clearTimeout(timer);
      this.#timers.clear();
      if (state.name !== this.#state.name) this.#since = Date.now();
      this.#state = state;
    }
    for (const effect of effects) this.#carryOut(effect);
    if (changed) this.#changed(this);
  }

  #carryOut(effect: UnitEffect): void {
    switch (effect.type) {
      case 'spawn':
        this.#restarts++;
        this.#later(this.unit.startLimitMs, { type: 'start overdue' });
        void this.#spawn();
        break;
      case 'signal':
        if (this.#child?.pid === undefined) break;
        signal({ pid: this.#child.pid }, this.unit.stopSignal);
        this.#later(this.unit.stopGraceMs, { type: 'grace over' });
        break;
      case 'kill':
        this.kill('SIGKILL');
        break;
      case 'wait':
        this.#later(effect.ms, { type: 'back-off over' });
        break;
    }
  }

  #later(ms: number, event: UnitEvent): void {
    this.#timers.add(setTimeout(() => this.#handle(event), ms));
  }

  async #spawn(): Promise<void> {
    const starting = this.#state;
    let child: ChildProcess;
    try {
      const command = await this.unit.command();
      // Told to stop while the preparation went on: nothing was started, so nothing will exit.
      if (this.#state !== starting) return this.#exited(true, 'stopped');
      const output = this.#log.open();
      child = spawn(command.program, command.args, {
        cwd: command.cwd,
        env: { ...this.#env, ...command.env },
        stdio: ['ignore', output, output],
        // A process group of its own: Ctrl-C is the supervisor's to hear, who stops in order.
        detached: true,
      });
      closeSync(output);
    } catch (error) {
      return this.#exited(false, error instanceof Error ? (error.message.split('\n', 1)[0] as string) : String(error));
    }
    this.#child = child;
    if (child.pid !== undefined) this.#children.started(this.unit.name, child.pid);
    child.once('error', (error) => this.#ended(child, false, error.message));
    child.once('exit', (code, by) => this.#ended(child, code === 0, by ? `killed by ${by}` : `exit code ${code}`));
    if (this.unit.ready) void this.#probe(child, this.unit.ready);
  }

  #ended(child: ChildProcess, success: boolean, how: string): void {
    if (this.#child !== child) return;
    // What it may have started itself goes with it.
    if (child.pid !== undefined) signal({ pid: child.pid }, 'SIGKILL');
    this.#child = undefined;
    this.#children.ended(this.unit.name);
    const complaint = success || how.startsWith('killed') ? '' : this.#log.complaint();
    this.#exited(success, complaint === '' ? how : `${how}: ${complaint}`);
  }

  #exited(success: boolean, reason: string): void {
    if (this.#state.name !== 'stopping' && !(success && this.unit.kind === 'task')) this.#lastTrouble = reason;
    const readyMs = this.#state.name === 'ready' ? Date.now() - this.#since : 0;
    this.#handle({ type: 'exited', success, reason, readyMs });
  }

  async #probe(child: ChildProcess, ready: () => Promise<boolean>): Promise<void> {
    while (this.#child === child && this.#state.name === 'starting') {
      if ((await ready().catch(() => false)) && this.#child === child) this.#handle({ type: 'answered' });
      else await new Promise((resolve) => setTimeout(resolve, probeEveryMs));
    }
  }
}
