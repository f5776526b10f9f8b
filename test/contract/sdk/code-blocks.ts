import { readFileSync } from 'node:fs';

/** A program of docs/collect.md, with an SDK in it. */
export interface CodeBlock {
  readonly language: 'html' | 'js' | 'python' | 'java';
  readonly code: string;
}

const page = readFileSync(new URL('../../../docs/collect.md', import.meta.url), 'utf8');
const section = /^## SDKs$[\s\S]*?(?=^## )/m.exec(page)?.[0] ?? '';

export const codeBlocks: readonly CodeBlock[] = [...section.matchAll(/```(html|js|python|java)\n([\s\S]*?)```/g)].map(
  ([, language, code]) => ({ language: language as CodeBlock['language'], code: code as string }),
);

/** With another address and write key than those of the local platform. */
export const filled = (code: string, address: string, writeKey: string): string =>
  code.replaceAll('http://127.0.0.1:8080', address).replaceAll(/local-(?:web|server)/g, writeKey);

/** A program that does what the block says, in Java: its imports, and a method around the rest. */
export function javaProgram(code: string): string {
  const lines = code.split('\n');
  const isImport = (line: string): boolean => line.startsWith('import ');
  return [
    ...lines.filter(isImport),
    'public class Main { public static void main(String[] args) throws Exception {',
    ...lines.filter((line) => !isImport(line)),
    '} }',
  ].join('\n');
}
