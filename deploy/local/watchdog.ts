import { spawn } from 'node:child_process';

/**
 * A shell that sleeps on a pipe from this process. When this process is gone, however it ended, the shell ends the children
 * that are still named in the folder: politely, and after ten seconds for good. It costs one megabyte.
 * @param folder one file a child, as `Children` writes them.
 * @returns how to send it home.
 */
export function watchOver(folder: string): () => void {
  const shell = spawn('/bin/sh', ['-c', script, 'tributary-watchdog', folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.on('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  shell.unref();
  return () => {
    shell.stdin.destroy();
  };
}

const script = `
trap '' INT TERM HUP
while read -r line; do :; done
alive=$(sed -n 's/.*"pid":\\([0-9]*\\).*/\\1/p' "$1"/* 2>/dev/null)
for pid in $alive; do kill -TERM "$pid"; done
tenths=0
while [ -n "$alive" ] && [ $tenths -lt 100 ]; do
  sleep 0.1
  tenths=$((tenths + 1))
  left=
  for pid in $alive; do kill -0 "$pid" && left="$left $pid"; done
  alive=$left
done
for pid in $alive; do kill -KILL "$pid"; done
`;
