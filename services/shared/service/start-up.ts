import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { createLog, type Log } from './log.ts';
import { helpText, type Options, readOptions, type Values } from './options.ts';

/** Reads a process's settings from the environment and the command line; prints help or all mistakes and ends if need be. */
export function settingsOf<const O extends Options>(title: string, options: O): Values<O> {
  const argv = process.argv.slice(2);
  if (argv.includes('--help') || argv.includes('-h')) {
    process.stdout.write(helpText(title, options));
    process.exit(0);
  }
  const result = readOptions(options, process.env, argv);
  if ('values' in result) return result.values;
  for (const error of result.errors) process.stderr.write(`${error}\n`);
  process.exit(2);
}

/** Log and metrics of a process. */
export function instruments(service: string, logLevel: string): { log: Log; metrics: Registry } {
  const metrics = new Registry();
  metrics.setDefaultLabels({ service });
  collectDefaultMetrics({ register: metrics });
  return { log: createLog(service, logLevel), metrics };
}

/** The installation's secret: 32 bytes, as hexadecimal digits in a file that only this installation can read. */
export function readSecret(settings: { readonly secretFile: string; readonly dataDirectory: string }): Buffer {
  const file = settings.secretFile || join(settings.dataDirectory, 'secret');
  const secret = Buffer.from(readFileSync(file, 'utf8').trim(), 'hex');
  if (secret.length < 16) throw new Error(`${file} must hold at least 32 hexadecimal digits`);
  return secret;
}
