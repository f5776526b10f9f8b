// What needs the packages imports this, or runs it first: without them Node's own message says nothing useful. Runs on any Node.
import { existsSync } from 'node:fs';
import { node } from './install.mjs';

if (!existsSync(node)) {
  process.stderr.write('tributary: packages are missing; run npm start or npm test first, both install them\n');
  process.exit(2);
}
