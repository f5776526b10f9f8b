/** What follows from one decision comes within this. */
const TOGETHER_MS = 10_000;
const MOST_ROWS = 200;
const MOST_KNOWN = 5_000;

/**
 * Folds what passes into rows, newest first: an event with what became of it, and what was decided about people. Topics come each on
 * its own way, so any part of a row may be the first to come.
 */
export class Story {
  rows = [];
  /** Received times of what profiles were born of, before our eyes. */
  #born = new Map();
  #number = 0;

  /** @param now milliseconds @returns the row that is new or has changed; undefined: none */
  take(passing, now) {
    switch (passing.what) {
      case 'accepted':
      case 'stitched':
      case 'rejected':
        return this.#event(passing, now);
      case 'profile':
        return this.#profile(passing, now);
      case 'moved':
        return this.#moved(passing, now);
      default:
        return this.#add({ kind: 'decision', at: passing.decided_at, ...passing }, now);
    }
  }

  #event(passing, now) {
    const { message_id, source } = passing;
    const known = this.rows.find(
      (row) => row.kind === 'event' && message_id !== null && row.message_id === message_id && row.source === source,
    );
    const row =
      known ??
      this.#add(
        { kind: 'event', at: passing.received_at, source, message_id, type: null, event: null, accepted: 0 },
        now,
      );
    if (passing.what === 'rejected') row.rejected = passing;
    else {
      row.type = passing.type;
      row.event = passing.event;
      if (passing.what === 'accepted') row.accepted++;
      else {
        row.profile_id = passing.profile_id;
        row.stitchedMs = now - row.since;
      }
    }
    return row;
  }

  #profile(passing, now) {
    const { profile_id, version, gone, into } = passing;
    if (version === 1) this.#remember(profile_id, passing.updated_at);
    if (gone && into !== null) {
      const row =
        this.#recent(
          'joined',
          now,
          (one) => one.into === into && one.moves.some((move) => move.profile_id === profile_id),
        ) ?? this.#add({ kind: 'joined', at: passing.updated_at, into, moves: [], gone: [] }, now);
      const born = this.#born.get(profile_id);
      row.gone.push(profile_id);
      // Born of the very event that decided, nobody ever saw it as a person of its own.
      if (born === undefined || born < row.at) row.former = profile_id;
      return row;
    }
    const caused = this.rows.find(
      (row) =>
        row.kind === 'event' &&
        (row.profile_id ?? profile_id) === profile_id &&
        passing.causes.includes(row.message_id),
    );
    const row =
      caused ??
      this.#recent('joined', now, (one) => one.into === profile_id) ??
      this.#recent('version', now, (one) => one.profile_id === profile_id) ??
      this.#add({ kind: 'version', at: passing.updated_at, profile_id, why: passing.why }, now);
    row.version = passing;
    row.versionMs = now - row.since;
    return row;
  }

  #moved(passing, now) {
    const { decided_at, to_profile_id: into, reason } = passing;
    const row =
      this.#recent(
        'joined',
        now,
        (one) =>
          one.into === into &&
          (one.at === decided_at || (one.moves.length === 0 && one.gone.includes(passing.profile_id))),
      ) ?? this.#add({ kind: 'joined', at: decided_at, into, moves: [], gone: [] }, now);
    row.at = decided_at;
    row.reason ??= reason;
    row.moves.push(passing);
    return row;
  }

  #recent(kind, now, is) {
    return this.rows.find((row) => row.kind === kind && now - row.since < TOGETHER_MS && is(row));
  }

  #add(row, now) {
    const added = { key: ++this.#number, since: now, ...row };
    this.rows = [added, ...this.rows.slice(0, MOST_ROWS - 1)];
    return added;
  }

  #remember(profile, bornAt) {
    if (this.#born.size >= MOST_KNOWN) this.#born.delete(this.#born.keys().next().value);
    if (!this.#born.has(profile)) this.#born.set(profile, bornAt);
  }
}
