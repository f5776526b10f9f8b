/** Formats whose output is the parts' outputs one after another: these are streamed block by block. */
const concatenable = new Set([
  'TabSeparated',
  'TSV',
  'TabSeparatedRaw',
  'TSVRaw',
  'Raw',
  'CSV',
  'JSONEachRow',
  'JSONLines',
  'NDJSON',
  'JSONStringsEachRow',
  'JSONCompactEachRow',
  'JSONCompactStringsEachRow',
  'TSKV',
  'RowBinary',
  'Native',
  'LineAsString',
  'RawBLOB',
]);
export const canStream = (format: string): boolean => concatenable.has(format);

const contentTypes: readonly (readonly [RegExp, string])[] = [
  [/^JSON\w*EachRow|^JSONLines$|^NDJSON$|^PrettyNDJSON$/, 'application/x-ndjson; charset=UTF-8'],
  [/^JSON/, 'application/json; charset=UTF-8'],
  [/^(TabSeparated|TSV|TSKV|Raw)/, 'text/tab-separated-values; charset=UTF-8'],
  [/^CSVWithNames/, 'text/csv; charset=UTF-8; header=present'],
  [/^CSV/, 'text/csv; charset=UTF-8; header=absent'],
  [/^XML$/, 'application/xml; charset=UTF-8'],
  [/^Markdown$/, 'text/markdown; charset=UTF-8'],
  [/^(RowBinary|Native|Parquet|ORC|Arrow|Avro|MsgPack|Npy|BSON|Protobuf|CapnProto)/, 'application/octet-stream'],
];
export const contentType = (format: string): string =>
  contentTypes.find(([pattern]) => pattern.test(format))?.[1] ?? 'text/plain; charset=UTF-8';
