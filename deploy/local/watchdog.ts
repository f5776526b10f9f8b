import { spawn } from 'node:child_process';
import { LAST } from './children.ts';

/**
 * A shell that sleeps on a pipe from this process. When this process is gone, however it ended, the shell ends the children
 * that are still named in the folder, {@link LAST} last: politely, and after ten seconds for good; never a later process with the
 * same number. It costs one megabyte.
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

/** When a process started, as `identify` tells it; nothing when it does not run. */
const started =
  process.platform === 'linux'
    ? `read -r stat < "/proc/$1/stat" || return; set -- \${stat##*) }; case $1 in Z|X) ;; *) echo "\${20}" ;; esac`
    : `ps -o state=,lstart= -p "$1" | sed -n 's/ *$//; s/^ *[^Z ][^ ]* *//p'`;

/** Each child is one word, `number:start`, its blanks underlined. */
const script = `
trap '' INT TERM HUP
while read -r line; do :; done
started() { ${started}; }
is_running() { [ "$(started "\${1%%:*}" | tr -s ' ' _)" = "\${1#*:}" ]; }
end() {
  alive=$(sed -n 's/.*"pid":\\([0-9]*\\),"started":"\\([^"]*\\)".*/\\1:\\2/p' "$@" | tr -s ' ' _)
  for child in $alive; do is_running "$child" && kill -TERM "\${child%%:*}"; done
  tenths=0
  while [ -n "$alive" ] && [ $tenths -lt 100 ]; do
    sleep 0.1
    tenths=$((tenths + 1))
    left=
    for child in $alive; do is_running "$child" && left="$left $child"; done
    alive=$left
  done
  for child in $alive; do is_running "$child" && kill -KILL "\${child%%:*}"; done
}
cd "$1" || exit
end $(ls | grep -vx ${LAST}) /dev/null
end ${LAST}
`;
