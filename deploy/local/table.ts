import type { UnitView } from './platform.ts';

const colours: Readonly<Record<UnitView['state'], number>> = {
  ready: 32,
  starting: 36,
  stopping: 36,
  stopped: 90,
  'backing-off': 33,
  failed: 31,
};

/** All units, one a line, no line longer than `width`. */
export function table(units: readonly UnitView[], now: number, width: number, colour: boolean): string[] {
  const head = ['process', 'state', 'since', 'memory', 'restarts', ''];
  const rows = units.map((unit) => [
    unit.name,
    stateOf(unit),
    unit.state === 'stopped' ? '' : duration(now - unit.since),
    unit.residentBytes === undefined ? '' : `${Math.round(unit.residentBytes / 1e6)} MB`,
    unit.restarts === 0 ? '' : String(unit.restarts),
    unit.note,
  ]);
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] as string).length)));
  const isNumber = (i: number) => i >= 2 && i <= 4;
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) =>
        i === 5 ? cell : isNumber(i) ? cell.padStart(widths[i] as number) : cell.padEnd(widths[i] as number),
      )
      .join('  ')
      .trimEnd()
      .slice(0, width - 1);
  const paint = (text: string, code: number) => (colour ? `\x1b[${code}m${text}\x1b[0m` : text);
  return [paint(line(head), 90), ...rows.map((row, i) => paint(line(row), colours[(units[i] as UnitView).state]))];
}

/** One change of state as a line. */
export function changeLine(unit: UnitView): string {
  const why = unit.note !== '' && (unit.state === 'backing-off' || unit.state === 'failed') ? `: ${unit.note}` : '';
  const times = unit.restarts > 0 && unit.state === 'ready' ? ` again (restart ${unit.restarts})` : '';
  return `${unit.name.padEnd(18)} ${stateOf(unit)}${times}${why}`;
}

const stateOf = ({ kind, state, isWaiting }: UnitView): string => {
  if (isWaiting) return 'waiting';
  if (kind === 'task' && state === 'ready') return 'done';
  if (kind === 'task' && state === 'starting') return 'running';
  return state === 'backing-off' ? 'restarting' : state;
};

function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
}
