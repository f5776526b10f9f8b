/** Loaded into a child before its own code: it ends, in good order, when whoever started it is no more. */
const GRACE_MS = 20_000;

process.once('disconnect', () => {
  process.kill(process.pid, 'SIGTERM');
  setTimeout(() => process.exit(1), GRACE_MS).unref();
});
