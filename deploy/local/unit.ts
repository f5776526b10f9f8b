/** A process to start. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  /** Added to the supervisor's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** One process that the supervisor keeps running (`service`), or runs once to its end (`task`). */
export interface Unit {
  readonly name: string;
  readonly kind: 'service' | 'task';
  /** Prepares what the process needs (folders, configuration) and says how to start it. Called before every start. */
  readonly command: () => Command | Promise<Command>;
  /** True once the service can be used; may reject instead of answering false. A task is ready when it has exited with 0. */
  readonly ready?: () => Promise<boolean>;
  /** Started when these are ready, stopped before they are. */
  readonly dependsOn: readonly string[];
  readonly stopSignal: NodeJS.Signals;
  /** Milliseconds between the stop signal and SIGKILL. */
  readonly stopGraceMs: number;
  /** Milliseconds from the start until it must be ready (a task: ended). */
  readonly startLimitMs: number;
  /** Ports that it listens on, with the setting that moves each. */
  readonly ports: readonly { readonly port: number; readonly setting: string }[];
}
