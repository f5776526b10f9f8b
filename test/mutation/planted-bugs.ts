/** A bug that the tests named must catch: in each `file`, `right` is replaced by `wrong`. */
export interface PlantedBug {
  readonly name: string;
  readonly edits: readonly { readonly file: string; readonly right: string; readonly wrong: string }[];
  /** Test files that must fail. */
  readonly tests: readonly string[];
  /** vitest project of the tests. */
  readonly project: 'unit' | 'broker';
}

const projector = 'services/profile-projector';
const stitcher = 'services/identity-stitcher';

/** Makes bugs of one edit in a file, which one test file must catch. */
const inFile =
  (file: string, test: string, project: PlantedBug['project'] = 'unit') =>
  (name: string, right: string, wrong: string): PlantedBug => ({
    name,
    edits: [{ file, right, wrong }],
    tests: [test],
    project,
  });
const inFold = inFile('services/shared/expressions/fold.ts', 'services/shared/expressions/fold.test.ts');
const expressions = 'services/shared/expressions';
const agreement = 'test/integration/expressions/agreement.test.ts';
const inMeaning = inFile(`${expressions}/evaluate.ts`, agreement, 'broker');
const inSql = inFile(`${expressions}/to-sql.ts`, agreement, 'broker');
const traitsModel = `${projector}/computing.model.test.ts`;
const inComputing = inFile(`${projector}/computing.ts`, traitsModel);
const inTraits = inFile(`${projector}/core/traits-in-force.ts`, traitsModel);
const inBackfill = inFile(`${projector}/backfill.ts`, traitsModel);
const retentionModel = `${projector}/retention.model.test.ts`;
const rebuiltModel = `${projector}/rebuilt.model.test.ts`;
const inRetention = inFile(`${projector}/projector.ts`, retentionModel);
const inDiskState = inFile('services/shared/task/disk-state.ts', 'services/shared/task/state.contract.test.ts');
const editions = 'test/integration/console/editions.test.ts';
const inViewStore = inFile('services/console/adapters/view-store.ts', editions, 'broker');
const inBatchGraph = inFile(`${stitcher}/core/batch-graph.ts`, `${stitcher}/linker.test.ts`);

export const plantedBugs: readonly PlantedBug[] = [
  inFile(`${projector}/projector.ts`, rebuiltModel)(
    'what another generation says of places is believed',
    'event.generation === this.#generation || event.mapping_version === 0',
    'true',
  ),
  inFile(`${projector}/projector.ts`, rebuiltModel)(
    'what another partition keeps is folded here',
    'if (partitionOf(home.profile_id, partitions) === partition)',
    'if (partition >= 0)',
  ),
  inFile(`${projector}/computing.ts`, rebuiltModel)(
    'who was rebuilt is not told of',
    'epoch === UNTOLD || told < edition',
    'told < edition',
  ),
  inFile(`${projector}/backfill.ts`, rebuiltModel)(
    'who lets go as reading of history begins forgets that it was to begin',
    "    work.put('job', JOB, job);\n    return job;\n",
    '    return job;\n',
  ),
  inFile('services/console/cli/replay/goals.ts', 'services/console/cli/replay/goals.test.ts')(
    'a replay is complete before what comes of the last claims is taken in',
    'const GOALS = 5;',
    'const GOALS = 4;',
  ),
  inViewStore('what is held back of another edition is seen', 'if (layer > this.#edition) {', 'if (layer > 1_000) {'),
  inViewStore(
    'a tombstone of another edition takes away what is still seen',
    'edition ?? written.get(key) ?? this.#newestOf(key)',
    'edition ?? 0',
  ),
  inFile('services/console/core/trait-view.ts', editions, 'broker')(
    'typed columns go over to another edition before the others do',
    'PREWHERE edition <=',
    'PREWHERE 0 <=',
  ),
  inRetention('what comes late brings back what has expired', 'part.updated_at <= until', 'part.updated_at < 0'),
  inRetention(
    'what has expired is not told to where an identifier goes',
    '        forgotten,\n',
    '        forgotten: 0,\n',
  ),
  inRetention('who has been heard of expires', ' || lastReceived(held) > until', ''),
  inFile(`${projector}/core/retention.ts`, retentionModel)('an account expires', "kind === 'person' && ", ''),
  inFile(`${projector}/backfill.ts`, retentionModel)(
    'history brings back what has expired since',
    'received: 0, cells',
    'received: Number.MAX_SAFE_INTEGER, cells',
  ),
  inBackfill('the event at which folding began counts twice', 'offset < (cutsOf.get', 'offset <= (cutsOf.get'),
  inBackfill('the last slice of history is left out', 'next.slice >= job.slices', 'next.slice >= job.slices - 1'),
  inFile(`${projector}/core/cells.ts`, traitsModel)(
    'what is computed of somebody stays where they were',
    'pieces.at(-1)?.push(part);',
    '',
  ),
  inFile(`${projector}/core/cells.ts`, `${projector}/core/cells.test.ts`)(
    'long texts are cut with short ones',
    'room[at] = left - 1;',
    'room.fill(left - 1);',
  ),
  inFile(`${projector}/projector.ts`, traitsModel)(
    'what is out of every window stays',
    'if (isOther) this.#computing.trim(place);',
    '',
  ),
  inComputing('nobody is woken', "if (at !== null) this.#work.put('timer'", "if (at === 1) this.#work.put('timer'"),
  inComputing('what is complete is not told', 'this.#told = toldOf([...this.#byKey.values()]);', ''),
  inMeaning('at least is above', 'number >= atLeast', 'number > atLeast'),
  inMeaning('any is all', 'asked.any.some((one) => holds(', 'asked.any.every((one) => holds('),
  inMeaning(
    'what is null exists',
    '(value !== undefined && value !== null) === exists',
    '(value !== undefined) === exists',
  ),
  inMeaning(
    'what comes later is older',
    'moment < timesOf(olderThan, at, zone)[0]',
    'moment > timesOf(olderThan, at, zone)[0]',
  ),
  inMeaning('a window has no end', 'timestamp >= from && timestamp < to', 'timestamp >= from'),
  inSql('in SQL a window has its end', '`timestamp < ', '`timestamp <= '),
  inSql('in SQL numbers are texts', ") = 'String'`", ") != 'Bool'`"),
  inSql('in SQL whoever has no events is forgotten', "holdsOfNone ? 'NOT IN' : 'IN'", "holdsOfNone ? 'IN' : 'IN'"),
  inSql('in SQL what is not there is', "exists ? '' : 'NOT '", "exists ? '' : ''"),
  inSql('in SQL numbers beyond 64 bits are not read', '1e0', '1'),
  inSql('in SQL days are those of UTC', 'stretchesOf(this.#zone)', "stretchesOf('UTC')"),
  inSql('in SQL hours are those of UTC', 'this.#local(at)}, ', 'at}, '),
  inSql('in SQL a week begins on Thursday', ' + 3, 7) + 1)', ', 7) + 1)'),
  inSql('in SQL hours are texts', 'ofTime(asked) ? [number, isNumber]', 'ofTime(asked) ? [text, isText]'),
  inSql('in SQL the last of several as frequent', 'arraySort(one -> (-toInt64', 'arrayReverseSort(one -> (toInt64'),
  inMeaning(
    'an event is asked for the hour of UTC',
    'valueAt(asked.path, payload, at, zone)',
    "valueAt(asked.path, payload, at, 'UTC')",
  ),
  inFile(`${expressions}/zone.ts`, `${expressions}/zone.test.ts`)(
    'a week begins on Sunday',
    'dayOf(zone, at) + 3',
    'dayOf(zone, at) + 4',
  ),
  inFile(`${expressions}/expression.ts`, `${expressions}/parse.test.ts`)(
    'a day has an hour 24',
    "'time.hour': [0, 23]",
    "'time.hour': [0, 24]",
  ),
  inTraits(
    'what is kept is kept by days of UTC',
    'cellOf(asked, event, payload, of.zone)',
    'cellOf(asked, event, payload)',
  ),
  inFile(`${projector}/core/cells.ts`, traitsModel)(
    'what another zone’s day has left is dropped',
    'timesOf(within, now, zone)',
    'timesOf(within, now)',
  ),
  inComputing('an answer is that of UTC', 'answerOf(asked, cells, now, one.zone)', 'answerOf(asked, cells, now)'),
  inComputing(
    'a day ends where it does in UTC',
    '[answerOf(asked, cells, now, one.zone), changesAt(asked, cells, now, one.zone)]',
    '[answerOf(asked, cells, now, one.zone), changesAt(asked, cells, now)]',
  ),
  inComputing('a condition holds by days of UTC', '[holds(asked, kept, now, one.zone)', '[holds(asked, kept, now)'),
  inComputing(
    'a condition waits for days of UTC',
    'conditionChangesAt(asked, kept, now, one.zone)',
    'conditionChangesAt(asked, kept, now)',
  ),
  inBackfill('history is read by days of UTC', 'time_zone: one.time_zone', "time_zone: 'UTC'"),
  inFile(`${expressions}/zone.ts`, `${expressions}/zone.test.ts`)(
    'a day comes back where clocks are put back over midnight',
    'Math.max(Math.floor((at + offset) / DAY_MS), day)',
    'Math.floor((at + offset) / DAY_MS)',
  ),
  inFile(`${expressions}/condition.ts`, `${expressions}/condition.test.ts`)(
    'nothing grows old by itself',
    'if (age !== undefined && age > now)',
    'if (age === now)',
  ),
  inFold(
    'a window has its end',
    'return cells.filter((cell) => cell.from >= from && cell.from < to);',
    'return cells.filter((cell) => cell.from >= from && cell.from <= to);',
  ),
  inFold(
    'a window of hours is kept by days',
    'edgeBefore(asked.within, timestamp, zone)',
    'edgeBefore({ days: 1 }, timestamp, zone)',
  ),
  inFold('of two parts the events of one count', 'const count = a.count + b.count;', 'const count = a.count;'),
  inFold('money is cut, not rounded', 'Math.floor(value * MICROS + 0.5)', 'Math.floor(value * MICROS)'),
  inFold('the least number is the greatest', 'Math.min(a.extreme', 'Math.max(a.extreme'),
  inFold(
    'of two at the same moment either is first',
    'a.timestamp - b.timestamp ||',
    'a.timestamp - b.timestamp || 1 ||',
  ),
  inFold('the average is of all events', 'sumOf(found) / countOf(found)', 'sumOf(found) / found.length'),
  inFold(
    'of several as frequent the last',
    '(one.count > best.count ? one : best)',
    '(one.count >= best.count ? one : best)',
  ),
  inFold('ten is before nine', "String(part).padStart(2, '0')", 'String(part)'),
  inFold('an hour is a text', 'isPartOfTime(asked.value) ? Number(text) : text', 'text'),
  inFold(
    'an hour is that of UTC',
    'valueAt(asked.value, payload, timestamp, zone)',
    "valueAt(asked.value, payload, timestamp, 'UTC')",
  ),
  inFold('texts of one part are forgotten', 'null, united(a.texts, b.texts))', 'null, a.texts)'),
  inFold(
    'days since are counted from the hour',
    'dayOf(zone, now) - dayOf(zone, extreme ?? 0)',
    'Math.floor((now - (extreme ?? 0)) / 86_400_000)',
  ),
  inFold('nobody leaves a window', 'if (leaves) next = Math.min(next, leftBy(asked.within, leaves.from, zone));', ''),
  inFold('what lies ahead never comes', 'if (comes) next = Math.min(next, comes.from);', ''),
  {
    name: 'a move is lost',
    edits: [
      {
        file: `${projector}/projector.ts`,
        right:
          '    this.#send(held, departure.sendTo, smallest(holding.messageIds), Math.max(held.updated_at, decidedAt), parts);\n',
        wrong: '',
      },
    ],
    tests: [`${projector}/projector.model.test.ts`],
    project: 'unit',
  },
  {
    name: 'sums are floats',
    edits: [
      {
        file: `${projector}/core/order.ts`,
        right: 'String(Number(a) + Number(b))',
        wrong: 'String((Number(a) / 1e6 + Number(b) / 1e6) * 1e6)',
      },
    ],
    tests: [`${projector}/core/tributary.test.ts`],
    project: 'unit',
  },
  {
    name: 'the last arrival wins',
    edits: [
      {
        file: `${projector}/core/tributary.ts`,
        right: 'if (a.timestamp !== b.timestamp) return a.timestamp > b.timestamp ? a : b;',
        wrong: 'if (a.timestamp !== b.timestamp) return b;',
      },
    ],
    tests: [`${projector}/core/tributary.test.ts`],
    project: 'unit',
  },
  {
    name: 'a tributary that was sent away is folded once more',
    edits: [
      {
        file: `${projector}/projector.ts`,
        right: '  holding.kept = undefined;\n  holding.added = undefined;\n',
        wrong: '',
      },
    ],
    tests: [`${projector}/projector.model.test.ts`],
    project: 'unit',
  },
  {
    name: 'a late event is folded where its identifier no longer is',
    edits: [
      {
        file: `${projector}/core/ownership.ts`,
        right: ': { known, passTo: known };',
        wrong: ': { known, passTo: undefined };',
      },
    ],
    tests: [`${projector}/projector.model.test.ts`],
    project: 'unit',
  },
  {
    name: 'the version of a vanished profile is forgotten',
    edits: [
      {
        file: `${projector}/projector.ts`,
        right: 'if (next.state.version === 0 && members.length === 0 && !visit.quarantined) {',
        wrong: 'if (members.length === 0 && !visit.quarantined) {',
      },
    ],
    tests: [`${projector}/projector.model.test.ts`],
    project: 'unit',
  },
  {
    name: 'the offset is read before the producer is fenced',
    edits: [
      {
        file: 'services/shared/task/partition-task.ts',
        right: '    const transaction = await producer.transaction();\n    const marker: Marker',
        wrong:
          '    const early = await this.#committedOffsets();\n    const transaction = await producer.transaction();\n    const marker: Marker',
      },
      {
        file: 'services/shared/task/partition-task.ts',
        right: 'committed = await this.#committedOffsets();',
        wrong: 'committed = early;',
      },
    ],
    tests: ['test/contract/zombie-commit.test.ts'],
    project: 'broker',
  },
  {
    name: 'aborted records are let through',
    edits: [
      {
        file: 'services/shared/kafka/mended-kafkajs.ts',
        right: "replace('consumer/filterAbortedMessages.js', () => withoutAborted);\n",
        wrong: 'void withoutAborted;\n',
      },
    ],
    tests: ['test/contract/aborted-records.test.ts'],
    project: 'broker',
  },
  {
    name: 'local state is written before the commit',
    edits: [
      {
        file: 'services/shared/task/partition-task.ts',
        right: '    const { changes, offset } = await transact(',
        wrong:
          '    await this.#state?.apply(batch.totals.map((value) => ({ store: TOTALS, key: value.topic, value, bytes: storeCodec(this.#around, TOTALS).encode(value) })), { offset: this.#state.position?.offset ?? 0, at: now, cluster: this.#cluster });\n    if (now % 4 === 0) throw new LostInfrastructure("broken");\n    const { changes, offset } = await transact(',
      },
    ],
    tests: ['test/contract/exactly-once.test.ts'],
    project: 'broker',
  },
  {
    name: 'the profile that an identifier leaves is told of another one',
    edits: [
      {
        file: `${stitcher}/core/announcements.ts`,
        right: '  profile_id: move.from,\n',
        wrong: '  profile_id: move.to,\n',
      },
    ],
    tests: ['test/model/events-to-profiles.test.ts'],
    project: 'unit',
  },
  {
    name: 'no event is ever a duplicate',
    edits: [
      {
        file: `${stitcher}/core/duplicates.ts`,
        right: 'if (this.#added.has(id) || this.#store.holds(id)) return true;',
        wrong: '',
      },
    ],
    tests: [`${stitcher}/core/duplicates.test.ts`],
    project: 'unit',
  },
  inDiskState(
    'what is on its way to the disk is not read',
    'return this.#underWay ? changedBy(',
    'return this.#underWay === null ? changedBy(',
  ),
  inDiskState(
    'what was removed comes back from the disk, until the disk follows',
    'const change = this.#underWay?.get(store, key);',
    'const change = undefined;',
  ),
  inBatchGraph(
    'an identifier is as old as a claim that does not count',
    'if (counts && now.received_at < node.first_received)',
    'if (now.received_at < node.first_received)',
  ),
  inBatchGraph(
    'a claim that comes again from elsewhere counts as it did',
    'if (was && this.#isActive(was) !== counts) this.visit(hash, decider);',
    '',
  ),
  inDiskState(
    'what the values on disk hold is not found again',
    'if (!set.doesExist(key)) void set.put(key, NOTHING);',
    '',
  ),
  {
    name: 'an alias says nothing',
    edits: [
      {
        file: `${stitcher}/core/sightings.ts`,
        right: "    if (alias) this.#one('alias', event, alias[0], alias[1]);\n",
        wrong: '',
      },
    ],
    tests: [`${stitcher}/resolver.test.ts`],
    project: 'unit',
  },
  {
    name: 'one edge that a limit refuses unites all the same',
    edits: [
      {
        file: `services/shared/identity/linking/resolve.ts`,
        right: '  const refused: Refusal[] = [];\n',
        wrong: '  const refused: Refusal[] = [];\n  let spared = false;\n',
      },
      {
        file: `services/shared/identity/linking/resolve.ts`,
        right: '    if (reason) {\n',
        wrong: '    if (reason && (spared || !(spared = true))) {\n',
      },
    ],
    tests: [`services/shared/identity/linking/resolve.test.ts`],
    project: 'unit',
  },
  {
    name: 'a profile is named after its newest identifier',
    edits: [
      {
        file: `services/shared/identity/linking/resolve.ts`,
        right: 'return a.first_received < b.first_received;',
        wrong: 'return a.first_received > b.first_received;',
      },
    ],
    tests: [`services/shared/identity/linking/resolve.test.ts`],
    project: 'unit',
  },
  {
    name: 'of a repeated key the first member counts',
    edits: [
      {
        file: 'services/shared/json/members.ts',
        right: 'for (const member of everyMember(text, at)) members.set(',
        wrong: 'for (const member of everyMember(text, at).reverse()) members.set(',
      },
    ],
    tests: ['services/shared/json/members.test.ts'],
    project: 'unit',
  },
  {
    name: 'halves are always rounded up',
    edits: [
      {
        file: 'services/shared/money/decimal.ts',
        right: '(dropped === half && kept % 2n === 1n)',
        wrong: 'dropped === half',
      },
    ],
    tests: ['services/shared/money/decimal.test.ts'],
    project: 'unit',
  },
  {
    name: 'a record that was read is not checked against the log',
    edits: [
      {
        file: 'services/shared/task/positions.ts',
        right: 'if (recorded < logStart)',
        wrong: 'if (false)',
      },
    ],
    tests: ['services/shared/task/positions.test.ts'],
    project: 'unit',
  },
  {
    name: 'a request is acknowledged before Kafka has it',
    edits: [
      {
        file: 'services/collector/pipeline.ts',
        right: '    if (records.length > 0) await around.writer.write(records);\n',
        wrong: '    void around.writer.write(records);\n',
      },
    ],
    tests: ['services/collector/pipeline.test.ts'],
    project: 'unit',
  },
  {
    name: 'whoever closes his half of the connection after asking is not answered',
    edits: [
      {
        file: 'services/collector/adapters/http-server.ts',
        right: '    Object.assign(this.#server, { httpAllowHalfOpen: true });\n',
        wrong: '',
      },
    ],
    tests: ['services/collector/adapters/http-server.test.ts'],
    project: 'unit',
  },
  {
    name: 'what a request held is held for ever',
    edits: [
      {
        file: 'services/collector/pipeline.ts',
        right: 'respond(route, incoming).finally(() => holding.release())',
        wrong: 'respond(route, incoming)',
      },
    ],
    tests: ['test/integration/collector/strange-http.test.ts'],
    project: 'broker',
  },
  {
    name: 'all of an endless address is read',
    edits: [
      {
        file: 'services/collector/core/campaign.ts',
        right: ".split('&', MOST_PARAMETERS)",
        wrong: ".split('&')",
      },
    ],
    tests: ['services/collector/core/campaign.test.ts'],
    project: 'unit',
  },
  {
    name: 'a write key is refused while there are no sources yet',
    edits: [
      {
        file: 'services/collector/pipeline.ts',
        right: '    if (sources.empty) return NOT_KNOWN_YET;\n',
        wrong: '',
      },
    ],
    tests: ['services/collector/pipeline.test.ts'],
    project: 'unit',
  },
  {
    name: 'an address goes on inside the payload of a source that keeps none',
    edits: [
      {
        file: 'services/collector/core/event.ts',
        right: "envelope.settings.keepIp === true ? sent : withoutMember(sent, 'context', 'ip');",
        wrong: "envelope.settings.keepIp === true ? sent : withoutMember(sent, 'ip');",
      },
    ],
    tests: ['services/collector/core/event.test.ts'],
    project: 'unit',
  },
  {
    name: 'an address that may only be kept cut is looked up whole',
    edits: [
      {
        file: 'services/collector/core/enrichment.ts',
        right: 'keepIp === true || address === null ? address : truncatedAddress(address)',
        wrong: 'address',
      },
    ],
    tests: ['services/collector/core/enrichment.test.ts'],
    project: 'unit',
  },
  {
    name: 'a grant of a fast clock outlasts the withdrawal after it',
    edits: [
      {
        file: 'services/collector/core/event.ts',
        right: 'Math.min(times.timestamp, receivedAt)',
        wrong: 'times.timestamp',
      },
    ],
    tests: ['services/collector/core/event.test.ts'],
    project: 'unit',
  },
  {
    name: 'when a row of history was sent corrects its time',
    edits: [
      {
        file: 'services/collector/core/event.ts',
        right: 'envelope.isHistory ? undefined : (',
        wrong: 'envelope.receivedAt < 0 ? undefined : (',
      },
    ],
    tests: ['services/collector/core/bulk.test.ts'],
    project: 'unit',
  },
  {
    name: 'a row that is sent again gets another id',
    edits: [
      {
        file: 'services/collector/core/bulk.ts',
        right: 'JSON.stringify([source, row, text])',
        wrong: 'JSON.stringify([source, row, text, performance.now()])',
      },
    ],
    tests: ['services/collector/core/bulk.test.ts'],
    project: 'unit',
  },
  {
    name: 'a quote that is not closed swallows the rows after it',
    edits: [
      {
        file: 'services/shared/rows/row-at.ts',
        right: ' || !endsField(bytes[i + 1], delimiter)',
        wrong: '',
      },
    ],
    tests: ['services/collector/core/bulk.test.ts'],
    project: 'unit',
  },
  {
    name: 'the rows of each slice of a file are counted anew',
    edits: [{ file: 'services/console/cli/import/slices.ts', right: '    row += rows;\n', wrong: '' }],
    tests: ['test/model/slices-of-a-file.test.ts'],
    project: 'unit',
  },
  {
    name: 'a file is cut inside of quotes',
    edits: [
      {
        file: 'services/console/cli/import/slices.ts',
        right: 'limits.bytes + MOST_ROW_BYTES + 2',
        wrong: 'limits.bytes + 2',
      },
    ],
    tests: ['test/model/slices-of-a-file.test.ts'],
    project: 'unit',
  },
  {
    name: 'a signature counts that is as long as the right one',
    edits: [
      {
        file: 'services/collector/core/signature.ts',
        right: 'digest.length === given.length && timingSafeEqual(digest, given)',
        wrong: 'digest.length === given.length',
      },
    ],
    tests: ['services/collector/core/signature.test.ts'],
    project: 'unit',
  },
  {
    name: 'what Stripe signed holds for ever',
    edits: [
      {
        file: 'services/collector/core/signature.ts',
        right: '/^\\d{1,12}$/.test(time) && Math.abs(now - Number(time) * 1_000) <= toleranceSeconds * 1_000',
        wrong: '/^\\d{1,12}$/.test(time)',
      },
    ],
    tests: ['services/collector/core/signature.test.ts'],
    project: 'unit',
  },
  {
    name: 'Twilio signs lists, of which it signs nothing',
    edits: [
      {
        file: 'services/collector/core/signature.ts',
        right: 'if (Array.isArray(body) || ',
        wrong: 'if (',
      },
    ],
    tests: ['services/collector/core/signature.test.ts'],
    project: 'unit',
  },
  {
    name: 'a user agent of any length is stored with each event of a batch',
    edits: [
      {
        file: 'services/collector/core/enrichment.ts',
        right: 'own?.slice(0, MOST_USER_AGENT)',
        wrong: 'own',
      },
    ],
    tests: ['services/collector/core/enrichment.test.ts'],
    project: 'unit',
  },
  {
    name: 'what no mapping understands is kept with its addresses',
    edits: [
      {
        file: 'services/collector/core/event.ts',
        right: "settings.keepIp === true ? sent : '';",
        wrong: "settings.keepIp === undefined ? '' : sent;",
      },
    ],
    tests: ['services/collector/core/webhook.test.ts'],
    project: 'unit',
  },
  {
    name: 'a webhook that comes again is another event',
    edits: [
      {
        file: 'services/collector/core/webhook.ts',
        right: "const digest = hash('sha256', bytes).slice(0, 32);",
        wrong: 'const digest = String(Math.random());',
      },
    ],
    tests: ['services/collector/core/webhook.test.ts'],
    project: 'unit',
  },
  {
    name: 'a condition on what is not there lets everything through',
    edits: [
      {
        file: 'services/shared/definitions/webhook-condition.ts',
        right: '  if (unknown) return',
        wrong: '  if (unknown === query) return',
      },
    ],
    tests: ['services/shared/definitions/webhook.test.ts'],
    project: 'unit',
  },
  {
    name: 'the key of a webhook opens every door',
    edits: [
      {
        file: 'services/collector/pipeline.ts',
        right: 'if ((source.webhook !== undefined) !== forWebhook)',
        wrong: 'if (forWebhook && source.webhook === undefined)',
      },
    ],
    tests: ['services/collector/pipeline.test.ts'],
    project: 'unit',
  },
  {
    name: 'what a program says of when it was gives way to when it was called',
    edits: [
      {
        file: 'services/collector/core/times.ts',
        right: 'timeOf(right) ?? ',
        wrong: '',
      },
    ],
    tests: ['services/collector/core/times.test.ts'],
    project: 'unit',
  },
  {
    name: 'a page is sent to wherever a header says',
    edits: [
      {
        file: 'services/collector/core/reached-at.ts',
        right: 'host === undefined || !NAME.test(host)',
        wrong: 'host === undefined',
      },
    ],
    tests: ['services/collector/core/reached-at.test.ts'],
    project: 'unit',
  },
  {
    name: 'over http a page asks Segment for its settings',
    edits: [
      {
        file: 'services/collector/adapters/browser-sdk-files.ts',
        right: 'Buffer.concat([Buffer.from(FROM_HERE), readFileSync(standalone)])',
        wrong: 'Buffer.concat([Buffer.from(FROM_HERE.slice(0, 0)), readFileSync(standalone)])',
      },
    ],
    tests: ['services/collector/pipeline.test.ts'],
    project: 'unit',
  },
  {
    name: 'that a profile is in quarantine is forgotten before its first event',
    edits: [
      {
        file: `${projector}/projector.ts`,
        right: 'members.length === 0 && !visit.quarantined) {',
        wrong: 'members.length === 0) {',
      },
    ],
    tests: [`${projector}/projector.model.test.ts`],
    project: 'unit',
  },
  {
    name: 'what waited for a profile in quarantine goes out with the time of its event',
    edits: [
      {
        file: 'services/activation/planner.ts',
        right: 'Math.max(request.requested_at, timestamp)',
        wrong: 'request.requested_at',
      },
    ],
    tests: ['services/activation/planner.test.ts'],
    project: 'unit',
  },
  {
    name: 'what gives way in quarantine is sent all the same',
    edits: [
      {
        file: 'services/activation/planner.ts',
        right: "this.#emit({ ...givesWay, suppressed: 'quarantined' }, timestamp)",
        wrong: 'this.#emit(givesWay, timestamp)',
      },
    ],
    tests: ['services/activation/planner.test.ts'],
    project: 'unit',
  },
  {
    name: 'however much is released goes into one transaction',
    edits: [
      {
        file: 'services/activation/planner.ts',
        right: 'inputs.length > 1 && batch.releasesMuch',
        wrong: 'inputs.length > 1_000 && batch.releasesMuch',
      },
    ],
    tests: ['services/activation/planner.test.ts'],
    project: 'unit',
  },
  {
    name: 'what must not be sent is sent',
    edits: [
      {
        file: 'services/activation/deliver.ts',
        right: 'request.suppressed !== null',
        wrong: 'request.suppressed === undefined',
      },
    ],
    tests: ['services/activation/sender.test.ts'],
    project: 'unit',
  },
  {
    name: 'a value that is put again is counted again',
    edits: [
      {
        file: 'services/shared/task/workspace.ts',
        right: 'counted && this.get(store, key) === undefined)',
        wrong: 'counted)',
      },
    ],
    tests: ['services/shared/task/transaction-plan.test.ts'],
    project: 'unit',
  },
  {
    name: 'consent is asked for once, not before every attempt',
    edits: [
      {
        file: 'services/activation/deliver.ts',
        right: 'const known = purposes.length > 0 ? ',
        wrong: 'const known = purposes.length > 0 && before.attempts === 0 ? ',
      },
    ],
    tests: ['services/activation/sender.test.ts'],
    project: 'unit',
  },
  {
    name: 'whoever waits for the next attempt holds a place',
    edits: [
      {
        file: 'services/activation/deliver.ts',
        right: '.finally(() => slots.give());\n',
        wrong: ';\n',
      },
      {
        file: 'services/activation/deliver.ts',
        right: "      if ('delivery' in result) return result;\n",
        wrong: "      if ('delivery' in result) {\n        slots.give();\n        return result;\n      }\n",
      },
      {
        file: 'services/activation/deliver.ts',
        right: '.catch(() => assertGoingOn(signal));\n    }\n',
        wrong: '.catch(() => assertGoingOn(signal)).finally(() => slots.give());\n    }\n',
      },
    ],
    tests: ['services/activation/sender.test.ts'],
    project: 'unit',
  },
  {
    name: 'what is sent again has new sequence numbers',
    edits: [
      {
        file: 'services/shared/kafka/send-messages.ts',
        right: '        if (entry.firstSequence !== undefined) continue;\n',
        wrong: '',
      },
    ],
    tests: ['services/shared/kafka/send-messages.test.ts'],
    project: 'unit',
  },
];
