import { count, readOptions, type Values } from '#shared/service/options.ts';
import { platformOptions } from '#shared/service/platform-options.ts';

const sampleOptions = {
  rows: count('SAMPLE_ROWS', 'Rows of the purchase history that the sample sends', '69659'),
  visitors: count('SAMPLE_VISITORS', 'Visitors of the sample’s click stream', '400'),
} as const;

/** How large the sample is. @throws Error listing every mistake */
export function sampleSize(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Values<typeof sampleOptions> {
  const result = readOptions(sampleOptions, env, []);
  if ('errors' in result) throw new Error(result.errors.join('\n'));
  return result.values;
}

/** How to reach the installation. @param found what its platform says, over what the user has set. @throws Error listing every mistake */
export function installationSettings(found: Readonly<Record<string, string>>): Values<typeof platformOptions> {
  const result = readOptions(platformOptions, { ...process.env, ...found }, []);
  if ('errors' in result) throw new Error(result.errors.join('\n'));
  return result.values;
}
