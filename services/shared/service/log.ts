import { type Logger, pino } from 'pino';

export type Log = Logger;

/** The process's log: JSON lines on stdout. What could be a secret or personal never gets into it. */
export const createLog = (service: string, level: string): Log =>
  pino({
    name: service,
    level,
    base: { pid: process.pid },
    redact: {
      paths: ['*.password', '*.secret', '*.sharedSecret', '*.writeKey', '*.authorization', '*.token'],
      censor: '[redacted]',
    },
    timestamp: pino.stdTimeFunctions.isoTime,
  });
