/**
 * What history is read for where a generation is rebuilt. It is told of among computed traits, as one without a name: by a partition from
 * which event on it folds them as they come, and once more, `complete`, when it has told all of its profiles; by whoever reads how far that
 * is.
 */
export const EVERYTHING = { trait: '', version: 1 } as const;

/** Claims that are made anew: told of by their reader alone. */
export const CLAIMS = { trait: '', version: 0 } as const;
